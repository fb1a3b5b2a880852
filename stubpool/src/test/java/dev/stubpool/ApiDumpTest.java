package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.abi.Errno;
import java.io.IOException;
import java.lang.reflect.AccessibleObject;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The public API is what docs/api/dev.stubpool.txt says: whoever changes it sees what users will
 * see, and so does whoever reviews the change.
 */
class ApiDumpTest {
  private static final Path FILE = Path.of("../docs/api/dev.stubpool.txt");
  private static final String UPDATE = "stubpool.api.update";
  private static final String COMMAND =
      "mvn -B -pl stubpool -am -Dtest=ApiDumpTest -Dsurefire.failIfNoSpecifiedTests=false -D"
          + UPDATE
          + "=true test";

  @Test
  void shouldHaveTheApiThatIsCommitted() throws IOException {
    TreeSet<String> actual = new TreeSet<>();
    for (Class<?> type : typesOf(StubPool.class)) {
      describe(type, actual);
    }
    TreeSet<String> numbers = new TreeSet<>();
    for (Class<?> type : typesOf(Errno.class)) {
      describe(type, actual);
      actual.removeIf(line -> line.startsWith(name(type) + ": static final int "));
      for (Field constant : visible(type.getDeclaredFields())) {
        numbers.add(name(type) + ": " + constant.getName());
      }
    }
    if (Boolean.getBoolean(UPDATE)) {
      Files.createDirectories(FILE.getParent());
      Files.write(FILE, Stream.of(actual, numbers).flatMap(Collection::stream).sorted().toList());
    }

    List<String> committed = Files.exists(FILE) ? Files.readAllLines(FILE) : List.of();
    List<String> differences = new ArrayList<>();
    actual.stream()
        .filter(line -> !committed.contains(line))
        .forEach(line -> differences.add("+ " + line));
    committed.stream()
        .filter(line -> !actual.contains(line) && !numbers.contains(line))
        .forEach(line -> differences.add("- " + line));
    // Numbers that only newer headers of the kernel have come with the machine, and are no change.
    assertThat(differences)
        .withFailMessage(
            () ->
                "the public API is not that of "
                    + FILE.normalize()
                    + " (+ only in the code, - only in the file):\n"
                    + String.join("\n", differences)
                    + "\nIf this is meant, rewrite the file: "
                    + COMMAND)
        .isEmpty();
    assertThat(committed).isSorted().doesNotHaveDuplicates();
  }

  /** The public types in a class's package, and in those types. */
  private static List<Class<?>> typesOf(Class<?> member) throws IOException {
    String folder = member.getPackageName().replace('.', '/');
    URI location;
    try {
      location = member.getProtectionDomain().getCodeSource().getLocation().toURI();
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
    Path path = Path.of(location);
    if (Files.isDirectory(path)) {
      return typesIn(path.resolve(folder), member);
    }
    try (FileSystem jar = FileSystems.newFileSystem(path)) {
      return typesIn(jar.getPath(folder), member);
    }
  }

  private static List<Class<?>> typesIn(Path folder, Class<?> member) throws IOException {
    List<Class<?>> types = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        String name = file.getFileName().toString();
        if (!name.endsWith(".class") || name.equals("package-info.class")) {
          continue;
        }
        Class<?> type =
            Class.forName(
                member.getPackageName() + "." + name.substring(0, name.length() - 6),
                false,
                member.getClassLoader());
        if (isReachable(type)) {
          types.add(type);
        }
      }
    } catch (ClassNotFoundException e) {
      throw new AssertionError(e);
    }
    assertThat(types).contains(member);
    return types;
  }

  private static boolean isReachable(Class<?> type) {
    return !type.isAnonymousClass()
        && !type.isLocalClass()
        && isVisible(type.getModifiers())
        && (type.getDeclaringClass() == null || isReachable(type.getDeclaringClass()));
  }

  private static boolean isVisible(int modifiers) {
    return Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers);
  }

  private static void describe(Class<?> type, Collection<String> lines) {
    String prefix = name(type) + ": ";
    lines.add(prefix + declaration(type));
    if (type.isRecord()) {
      lines.add(
          prefix
              + "components ("
              + Arrays.stream(type.getRecordComponents())
                  .map(ApiDumpTest::component)
                  .collect(Collectors.joining(", "))
              + ")");
    }
    // What a class inherits from one that users do not see is its own to them.
    for (Class<?> owner = type;
        owner != null && (owner == type || !Modifier.isPublic(owner.getModifiers()));
        owner = owner.getSuperclass()) {
      for (Field field : visible(owner.getDeclaredFields())) {
        lines.add(prefix + field(field));
      }
      for (Method method : visible(owner.getDeclaredMethods())) {
        if (!isOfObject(method)) {
          lines.add(prefix + method(method));
        }
      }
    }
    for (Constructor<?> constructor : visible(type.getDeclaredConstructors())) {
      lines.add(prefix + executable(constructor, "", "new"));
    }
  }

  private static <M extends AccessibleObject & Member> List<M> visible(M[] members) {
    return Arrays.stream(members)
        .filter(member -> isVisible(member.getModifiers()) && !member.isSynthetic())
        .toList();
  }

  private static boolean isOfObject(Method method) {
    return switch (method.getName()) {
      case "toString", "hashCode" -> method.getParameterCount() == 0;
      case "equals" -> Arrays.equals(method.getParameterTypes(), new Class<?>[] {Object.class});
      default -> false;
    };
  }

  private static String declaration(Class<?> type) {
    StringBuilder text = new StringBuilder();
    int implied = Modifier.PUBLIC | Modifier.INTERFACE;
    if (type.isInterface()) {
      implied |= Modifier.ABSTRACT | Modifier.STATIC;
    } else if (type.isRecord() || type.isEnum()) {
      implied |= Modifier.FINAL | Modifier.STATIC;
    }
    appendModifiers(text, type.getModifiers() & ~implied);
    text.append(type.isSealed() ? "sealed " : "");
    text.append(
        type.isAnnotation()
            ? "annotation"
            : type.isInterface()
                ? "interface"
                : type.isRecord() ? "record" : type.isEnum() ? "enum" : "class");
    text.append(variables(type.getTypeParameters()));
    Class<?> parent = type.getSuperclass();
    if (parent != null && parent != Object.class && !type.isRecord() && !type.isEnum()) {
      text.append(" extends ").append(name(type.getGenericSuperclass()));
    }
    appendList(
        text, type.isInterface() ? " extends " : " implements ", type.getGenericInterfaces());
    if (type.isSealed()) {
      appendList(text, " permits ", type.getPermittedSubclasses());
    }
    return text.toString();
  }

  private static String component(RecordComponent component) {
    return name(component.getGenericType()) + " " + component.getName();
  }

  private static String field(Field field) {
    if (field.isEnumConstant()) {
      return "constant " + field.getName();
    }
    StringBuilder text = new StringBuilder();
    appendModifiers(text, field.getModifiers() & ~Modifier.PUBLIC);
    text.append(name(field.getGenericType())).append(' ').append(field.getName());
    boolean isConstant =
        Modifier.isStatic(field.getModifiers())
            && Modifier.isFinal(field.getModifiers())
            && (field.getType().isPrimitive() || field.getType() == String.class);
    if (isConstant) {
      try {
        text.append(" = ").append(field.get(null));
      } catch (IllegalAccessException e) {
        throw new AssertionError(e);
      }
    }
    return text.toString();
  }

  private static String method(Method method) {
    String result = name(method.getGenericReturnType()) + " ";
    return (method.isDefault() ? "default " : "") + executable(method, result, method.getName());
  }

  private static String executable(Executable executable, String result, String name) {
    StringBuilder text = new StringBuilder();
    int implied = Modifier.PUBLIC | Modifier.TRANSIENT | Modifier.VOLATILE; // varargs and bridges
    if (executable.getDeclaringClass().isInterface()) {
      implied |= Modifier.ABSTRACT;
    }
    if (Modifier.isFinal(executable.getDeclaringClass().getModifiers())) {
      implied |= Modifier.FINAL;
    }
    appendModifiers(text, executable.getModifiers() & ~implied);
    String variables = variables(executable.getTypeParameters());
    text.append(variables).append(variables.isEmpty() ? "" : " ").append(result).append(name);
    String parameters =
        Arrays.stream(executable.getGenericParameterTypes())
            .map(ApiDumpTest::name)
            .collect(Collectors.joining(", "));
    if (executable.isVarArgs()) {
      parameters = parameters.substring(0, parameters.length() - "[]".length()) + "...";
    }
    text.append('(').append(parameters).append(')');
    appendList(text, " throws ", executable.getGenericExceptionTypes());
    return text.toString();
  }

  private static void appendModifiers(StringBuilder text, int modifiers) {
    String names = Modifier.toString(modifiers);
    text.append(names).append(names.isEmpty() ? "" : " ");
  }

  private static void appendList(StringBuilder text, String before, Type[] types) {
    if (types.length > 0) {
      text.append(before)
          .append(
              Arrays.stream(types)
                  .map(ApiDumpTest::name)
                  .sorted()
                  .collect(Collectors.joining(", ")));
    }
  }

  private static String variables(TypeVariable<?>[] variables) {
    return variables.length == 0
        ? ""
        : Arrays.stream(variables)
            .map(ApiDumpTest::variable)
            .collect(Collectors.joining(", ", "<", ">"));
  }

  private static String variable(TypeVariable<?> variable) {
    String bounds =
        Arrays.stream(variable.getBounds())
            .filter(bound -> bound != Object.class)
            .map(ApiDumpTest::name)
            .collect(Collectors.joining(" & "));
    return variable.getName() + (bounds.isEmpty() ? "" : " extends " + bounds);
  }

  /** A type as one writes it where dev.stubpool is imported. */
  private static String name(Type type) {
    return type.getTypeName()
        .replace('$', '.')
        .replaceAll("\\b(?:java\\.lang|dev\\.stubpool)\\.(?=[A-Z])", "");
  }
}
