package dev.stubpool.kernel.abi;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;
import java.util.Arrays;

/** Error numbers, errno(3), with the messages of strerror(3). */
public enum Errno {
  EPERM(1, "Operation not permitted"),
  ENOENT(2, "No such file or directory"),
  ESRCH(3, "No such process"),
  EINTR(4, "Interrupted system call"),
  EIO(5, "Input/output error"),
  ENXIO(6, "No such device or address"),
  E2BIG(7, "Argument list too long"),
  ENOEXEC(8, "Exec format error"),
  EBADF(9, "Bad file descriptor"),
  ECHILD(10, "No child processes"),
  EAGAIN(11, "Resource temporarily unavailable"),
  ENOMEM(12, "Cannot allocate memory"),
  EACCES(13, "Permission denied"),
  EFAULT(14, "Bad address"),
  EBUSY(16, "Device or resource busy"),
  EEXIST(17, "File exists"),
  EXDEV(18, "Invalid cross-device link"),
  ENODEV(19, "No such device"),
  ENOTDIR(20, "Not a directory"),
  EISDIR(21, "Is a directory"),
  EINVAL(22, "Invalid argument"),
  ENFILE(23, "Too many open files in system"),
  EMFILE(24, "Too many open files"),
  ENOTTY(25, "Inappropriate ioctl for device"),
  ETXTBSY(26, "Text file busy"),
  EFBIG(27, "File too large"),
  ENOSPC(28, "No space left on device"),
  ESPIPE(29, "Illegal seek"),
  EROFS(30, "Read-only file system"),
  EMLINK(31, "Too many links"),
  EPIPE(32, "Broken pipe"),
  ERANGE(34, "Numerical result out of range"),
  ENAMETOOLONG(36, "File name too long"),
  ENOLCK(37, "No locks available"),
  ENOSYS(38, "Function not implemented"),
  ENOTEMPTY(39, "Directory not empty"),
  ELOOP(40, "Too many levels of symbolic links"),
  ENODATA(61, "No data available"),
  EOVERFLOW(75, "Value too large for defined data type"),
  EILSEQ(84, "Invalid or incomplete multibyte or wide character"),
  ENOTSOCK(88, "Socket operation on non-socket"),
  EOPNOTSUPP(95, "Operation not supported"),
  EAFNOSUPPORT(97, "Address family not supported by protocol"),
  ETIMEDOUT(110, "Connection timed out");

  private static final int MOST = 4095;

  private final int number;
  private final String message;

  Errno(int number, String message) {
    this.number = number;
    this.message = message;
  }

  /** The number, positive. */
  public int number() {
    return number;
  }

  /** The message of strerror(3). */
  public String message() {
    return message;
  }

  /** Whether a system call's result is an error. */
  public static boolean isError(long result) {
    return result < 0 && result >= -MOST;
  }

  /** The error with a number; EIO for numbers that are not in this enum. */
  public static Errno of(int number) {
    return Arrays.stream(values()).filter(e -> e.number == number).findFirst().orElse(EIO);
  }

  /** The error of a failed call of the host; EIO if Java does not report it. */
  public static Errno of(IOException failure) {
    return switch (failure) {
      case NoSuchFileException _ -> ENOENT;
      case AccessDeniedException _ -> EACCES;
      case NotDirectoryException _ -> ENOTDIR;
      case NotLinkException _ -> EINVAL;
      case FileSystemException told -> ofMessage(told.getReason());
      default -> ofMessage(failure.getMessage());
    };
  }

  private static Errno ofMessage(String message) {
    return Arrays.stream(values()).filter(e -> e.message.equals(message)).findFirst().orElse(EIO);
  }
}
