package dev.stubpool.seccomp.bpf;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompField;
import dev.stubpool.seccomp.SystemCallTable;
import dev.stubpool.seccomp.bpf.PathKnowledge.Constant;
import dev.stubpool.seccomp.bpf.PathKnowledge.Word;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Writes comments on instructions, with the names of system calls, arguments and constants. */
final class Comments {

  /** If more calls than these are possible, none is named. */
  private static final int MAX_CALLS = 4;

  /** Architectures whose constants have the values of {@link ConstantNames}. */
  private static final Set<Architecture> USUAL_CONSTANTS =
      Set.of(
          Architecture.X86_64,
          Architecture.I386,
          Architecture.X32,
          Architecture.AARCH64,
          Architecture.ARM,
          Architecture.RISCV64,
          Architecture.RISCV32,
          Architecture.LOONGARCH64);

  private final PathKnowledge known;
  private final Set<Architecture> architectures;

  private Comments(PathKnowledge known) {
    this.known = known;
    this.architectures = known.architectures();
  }

  /**
   * The comment on an instruction.
   *
   * @return one line, or nothing
   */
  static String of(BpfInstruction instruction, PathKnowledge known) {
    return new Comments(known).of(instruction);
  }

  private String of(BpfInstruction instruction) {
    int k = instruction.k();
    return switch (instruction.code()) {
      case Bpf.LD | Bpf.W | Bpf.ABS -> load(k);
      case Bpf.RET | Bpf.K -> action(k);
      case Bpf.RET | Bpf.A -> known.a() instanceof Constant(int value) ? action(value) : "";
      case Bpf.ALU | Bpf.AND | Bpf.K ->
          known.a() instanceof Word word
              ? shown(word)
                  + " & "
                  + constantKind(word)
                      .flatMap(kind -> kind.flags(k))
                      .orElse("0x" + Integer.toHexString(k))
              : "";
      case Bpf.JMP | Bpf.JEQ | Bpf.K -> test(" == ", k, false);
      case Bpf.JMP | Bpf.JGT | Bpf.K -> test(" > ", k, false);
      case Bpf.JMP | Bpf.JGE | Bpf.K -> test(" >= ", k, false);
      case Bpf.JMP | Bpf.JSET | Bpf.K -> test(" & ", k, true);
      default -> "";
    };
  }

  private String load(int offset) {
    String word = wordName(offset);
    if (argument(offset).isEmpty()) {
      return word;
    }
    Set<String> calls = calls();
    return calls.isEmpty() ? word : word + " of " + String.join(", ", calls);
  }

  private String test(String operator, int k, boolean isBits) {
    if (!(known.a() instanceof Word word)) {
      return "";
    }
    return shown(word) + operator + operand(word, k, isBits);
  }

  private String operand(Word word, int k, boolean isBits) {
    if (word.offset() == SeccompData.ARCH_OFFSET && !isBits) {
      String labels =
          architectures.stream()
              .filter(architecture -> architecture.auditValue() == k)
              .map(Architecture::label)
              .collect(Collectors.joining(", "));
      return labels.isEmpty() ? hexadecimal(k) : labels;
    }
    if (word.offset() == SeccompData.NR_OFFSET) {
      return isBits ? hexadecimal(k) : callName(k).orElse(Integer.toUnsignedString(k));
    }
    return constantKind(word)
        .flatMap(kind -> isBits ? kind.flags(k) : kind.name(k))
        .orElse(isBits ? hexadecimal(k) : number(k));
  }

  /** The names of a number on all architectures that are possible here; equal names are joined. */
  private Optional<String> callName(int nr) {
    if (known.isArchitectureOpen()) {
      Architecture guess = Architecture.X32.owns(nr) ? Architecture.X32 : Architecture.X86_64;
      return architectures.contains(guess)
          ? SystemCallTable.of(guess).name(nr).map(name -> name + " (if " + guess.label() + ")")
          : Optional.empty();
    }
    Map<String, List<String>> labels = new LinkedHashMap<>();
    for (Architecture architecture : architectures) {
      if (architecture.owns(nr)) {
        String name = SystemCallTable.of(architecture).name(nr).orElse("none");
        labels.computeIfAbsent(name, _ -> new ArrayList<>()).add(architecture.label());
      }
    }
    if (labels.isEmpty() || labels.keySet().equals(Set.of("none"))) {
      return Optional.empty();
    }
    if (labels.size() == 1) {
      return Optional.of(labels.keySet().iterator().next());
    }
    return Optional.of(
        labels.entrySet().stream()
            .map(entry -> entry.getKey() + " (" + String.join(", ", entry.getValue()) + ")")
            .collect(Collectors.joining(", ")));
  }

  /**
   * The names of the calls that reach this instruction; empty if they are too many, or some have no
   * name.
   */
  private Set<String> calls() {
    Set<String> names = new LinkedHashSet<>();
    for (int nr : known.numbers(MAX_CALLS)) {
      Optional<String> name = callName(nr);
      if (name.isEmpty()) {
        return Set.of();
      }
      names.add(name.get());
    }
    return names;
  }

  /**
   * The kind of constants that an argument is compared with, if it is the same for all calls here.
   */
  private Optional<ConstantNames.Kind> constantKind(Word word) {
    Optional<Integer> argument = argument(word.offset());
    boolean isLow = word.offset() % Long.BYTES == 0;
    if (argument.isEmpty() || !isLow) {
      return Optional.empty();
    }
    Set<Optional<ConstantNames.Kind>> kinds = new LinkedHashSet<>();
    for (int nr : known.numbers(MAX_CALLS)) {
      Set<Architecture> possible =
          known.isArchitectureOpen() ? Set.of(Architecture.X86_64) : architectures;
      for (Architecture architecture : possible) {
        if (architecture.owns(nr)) {
          kinds.add(
              USUAL_CONSTANTS.contains(architecture)
                  ? SystemCallTable.of(architecture)
                      .name(nr)
                      .flatMap(name -> ConstantNames.ofArgument(name, argument.get()))
                  : Optional.empty());
        }
      }
    }
    return kinds.size() == 1 ? kinds.iterator().next() : Optional.empty();
  }

  private String action(int value) {
    SeccompAction action = SeccompAction.decode(value);
    String text = action.encode() == value ? action.toString() : "acts as " + action;
    boolean isUsual = known.isArchitectureOpen() || USUAL_CONSTANTS.containsAll(architectures);
    return action.kind() == SeccompAction.Kind.ERRNO && isUsual
        ? text + ConstantNames.ERRNO.name(action.data()).map(name -> " " + name).orElse("")
        : text;
  }

  private static String shown(Word word) {
    String name = wordName(word.offset());
    return word.mask() == -1 ? name : "(" + name + " & " + hexadecimal(word.mask()) + ")";
  }

  private static String number(int k) {
    return k >= 0 && k < 0x10000 ? Integer.toString(k) : hexadecimal(k);
  }

  private static String hexadecimal(int k) {
    return "0x" + Integer.toHexString(k);
  }

  private static Optional<Integer> argument(int offset) {
    int first = SeccompField.ARGUMENT_0.lowOffset();
    return offset >= first && offset < SeccompData.SIZE
        ? Optional.of((offset - first) / Long.BYTES)
        : Optional.empty();
  }

  private static String wordName(int offset) {
    if (offset == SeccompData.NR_OFFSET) {
      return "nr";
    }
    if (offset == SeccompData.ARCH_OFFSET) {
      return "arch";
    }
    if (offset < 0 || offset >= SeccompData.SIZE || offset % Integer.BYTES != 0) {
      return "no word of the input";
    }
    String half = offset % Long.BYTES == 0 ? " low" : " high";
    return argument(offset).map(index -> "args[" + index + "]").orElse("ip") + half;
  }
}
