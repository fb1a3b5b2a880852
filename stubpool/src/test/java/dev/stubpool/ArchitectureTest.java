package dev.stubpool;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.conditions.ArchConditions.onlyHaveDependenciesWhere;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import dev.stubpool.abi.Errno;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.memory.OpenPathHandle;
import dev.stubpool.pool.Pool;
import dev.stubpool.seccomp.bpf.BpfProgram;
import java.io.IOException;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;

/** What may depend on what: between the packages of this module, and between the modules. */
class ArchitectureTest {
  private static final String API = "dev.stubpool";
  private static final String ABI = "dev.stubpool.abi";
  private static final String SECCOMP = "dev.stubpool.seccomp..";
  private static final DescribedPredicate<JavaClass> IN_NATIVE_STUBS =
      resideInAnyPackage(ABI, "dev.stubpool.nativestubs..");

  /** Where the API reaches what implements it: its factories, each of them one class. */
  private static final Map<Class<?>, Class<?>> FACTORIES =
      Map.of(
          StubPool.class, Pool.class,
          PathHandle.class, OpenPathHandle.class,
          ExceptionFactory.class, Failures.class,
          StubPoolException.class, Failures.class);

  /** Read once: it takes a second. */
  private static final JavaClasses STUBPOOL = moduleOf(StubPool.class).that(not(IN_NATIVE_STUBS));

  @Test
  void shouldHaveNoCirclesBetweenPackages() {
    var rule = slices().assignedFrom(new Packages()).should().beFreeOfCycles();
    for (var factory : FACTORIES.entrySet()) {
      rule = rule.ignoreDependency(factory.getKey(), factory.getValue());
    }
    rule.check(STUBPOOL);
  }

  @Test
  void shouldKeepTheApiApartFromWhatImplementsIt() {
    DescribedPredicate<JavaClass> allowed = resideInAnyPackage(API, ABI, SECCOMP, "java..");
    classes()
        .that()
        .resideInAPackage(API)
        .should(
            onlyHaveDependenciesWhere(
                describe(
                    "the target is of the API, of what it is made from, or made by a factory",
                    dependency ->
                        allowed.test(dependency.getTargetClass().getBaseComponentType())
                            || FACTORIES.entrySet().stream()
                                .anyMatch(
                                    factory ->
                                        dependency.getOriginClass().isEquivalentTo(factory.getKey())
                                            && dependency
                                                .getTargetClass()
                                                .isEquivalentTo(factory.getValue())))))
        .check(STUBPOOL);
  }

  /** javac refuses them, too (-Xlint:restricted); this holds where a warning is suppressed. */
  @Test
  void shouldCallRestrictedMethodsInNativeStubsAlone() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .belongToAnyOf(Linker.class, SymbolLookup.class)
        .orShould()
        .accessTargetWhere(isOneOf(MemorySegment.class, "reinterpret"))
        .orShould()
        .accessTargetWhere(isOneOf(AddressLayout.class, "withTargetLayout"))
        .orShould()
        .accessTargetWhere(isOneOf(ModuleLayer.Controller.class, "enableNativeAccess"))
        .orShould()
        .accessTargetWhere(isOneOf(System.class, "load", "loadLibrary"))
        .orShould()
        .accessTargetWhere(isOneOf(Runtime.class, "load", "loadLibrary"))
        .as("Restricted methods are called in native-stubs alone")
        .check(STUBPOOL);
  }

  @Test
  void shouldExportTheApiAlone() {
    assertThat(exportedToAll(StubPool.class)).containsExactly(API);
    assertThat(exportedToAll(Errno.class)).containsExactly(ABI);
  }

  @Test
  void shouldKnowNothingOfStubpoolInTheModulesBelow() {
    classes()
        .should()
        .onlyDependOnClassesThat(resideInAnyPackage(SECCOMP, "java.."))
        .as("seccomp-bpf depends on no other module")
        .check(moduleOf(BpfProgram.class).that(resideInAnyPackage(SECCOMP)));
    classes()
        .should()
        .onlyDependOnClassesThat(IN_NATIVE_STUBS.or(resideInAnyPackage("java..")))
        .as("native-stubs depends on no other module")
        .check(moduleOf(Errno.class).that(IN_NATIVE_STUBS));
  }

  @Test
  void shouldHaveNoCirclesBetweenThePackagesOfNativeStubs() {
    JavaClasses nativeStubs = moduleOf(Errno.class).that(IN_NATIVE_STUBS);
    slices()
        .matching("dev.stubpool.nativestubs.(*)..")
        .should()
        .beFreeOfCycles()
        .check(nativeStubs);
    noClasses()
        .that()
        .resideInAnyPackage(ABI, "dev.stubpool.nativestubs.calls", "dev.stubpool.nativestubs.proc")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.stubpool.nativestubs.image")
        .as("Calls and what /proc tells need no stub image")
        .check(nativeStubs);
  }

  @Test
  void shouldRequireNothingInTheModulesBelow() {
    assertThat(required(BpfProgram.class)).containsExactly("java.base");
    assertThat(required(Errno.class)).containsExactly("java.base");
  }

  private static DescribedPredicate<JavaAccess<?>> isOneOf(Class<?> owner, String... names) {
    return describe(
        owner.getSimpleName() + "." + String.join(", ", names),
        access ->
            access.getTargetOwner().isAssignableTo(owner)
                && List.of(names).contains(access.getTarget().getName()));
  }

  private static List<String> exportedToAll(Class<?> member) {
    ModuleDescriptor descriptor = descriptor(member);
    assertThat(descriptor.isOpen()).isFalse();
    assertThat(descriptor.opens()).isEmpty();
    return descriptor.exports().stream()
        .filter(export -> !export.isQualified())
        .map(ModuleDescriptor.Exports::source)
        .toList();
  }

  /** What a class's module needs at run time. */
  private static List<String> required(Class<?> member) {
    return descriptor(member).requires().stream()
        .filter(
            required -> !required.modifiers().contains(ModuleDescriptor.Requires.Modifier.STATIC))
        .map(ModuleDescriptor.Requires::name)
        .toList();
  }

  /** The compiled descriptor of a class's module; skips the test where there is none. */
  private static ModuleDescriptor descriptor(Class<?> member) {
    var module = ModuleFinder.of(location(member)).findAll().stream().findFirst();
    assumeTrue(module.isPresent(), () -> location(member) + " was compiled without module-info");
    return module.orElseThrow().descriptor();
  }

  /** The classes of a class's folder or jar; tests are elsewhere. */
  private static JavaClasses moduleOf(Class<?> member) {
    Path location = location(member);
    if (Files.isDirectory(location)) {
      return new ClassFileImporter().importPath(location);
    }
    try (JarFile jar = new JarFile(location.toFile())) {
      return new ClassFileImporter().importJar(jar);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Path location(Class<?> member) {
    try {
      return Path.of(member.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  /** One slice for each package of the module, with those in it. */
  private static final class Packages implements SliceAssignment {
    @Override
    public SliceIdentifier getIdentifierOf(JavaClass type) {
      String name = type.getPackageName();
      if (name.equals(API)) {
        return SliceIdentifier.of("API");
      }
      return name.startsWith(API + ".")
          ? SliceIdentifier.of(name.substring(API.length() + 1).split("\\.", 2)[0])
          : SliceIdentifier.ignore();
    }

    @Override
    public String getDescription() {
      return "packages of " + API;
    }
  }
}
