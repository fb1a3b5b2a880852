/**
 * What /proc tells about processes, proc(5). {@link dev.stubpool.nativestubs.proc.ProcFs} finds and
 * reads the files; each other class is the parsed content of one kind of file.
 *
 * <p>It reads files by the JDK's own means and makes no native call.
 */
package dev.stubpool.nativestubs.proc;
