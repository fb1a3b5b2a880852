package dev.stubpool.arch;

/**
 * Where registers are in the structure that PTRACE_GETREGS and PTRACE_SETREGS transfer, as offsets
 * in bytes.
 *
 * @param bytes the size of the structure
 * @param callNumber the number of a system call that is about to be made
 * @param callResult the result of a system call
 * @param interruptedCall the number of the system call that the kernel may restart, or -1 for none
 * @param instructionPointer the address of the next instruction
 * @param argument0 the first argument of a system call
 * @param argument1 the second
 * @param argument2 the third
 * @param argument3 the fourth
 * @param argument4 the fifth
 * @param argument5 the sixth
 */
public record RegisterLayout(
    int bytes,
    int callNumber,
    int callResult,
    int interruptedCall,
    int instructionPointer,
    int argument0,
    int argument1,
    int argument2,
    int argument3,
    int argument4,
    int argument5) {}
