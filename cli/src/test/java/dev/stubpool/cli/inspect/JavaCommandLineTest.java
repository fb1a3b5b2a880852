package dev.stubpool.cli.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JavaCommandLineTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          java Main                                         | Main
          java -cp a.jar -Xmx1g org.example.Main --port 80  | org.example.Main
          java -p lib --add-opens a/b=c -m m/c.Main x       | m/c.Main
          java --module=m x                                 | m
          java --class-path=a.jar @options Main             | Main
          java -ea -jar server.jar -cp x                    | server.jar
          java -version                                     |
          java -jar                                         |
          java                                              |
          """)
  void shouldFindWhatIsRun(String commandLine, String main) {
    assertThat(JavaCommandLine.main(commandLine.replace(' ', '\0') + '\0').orElse(null))
        .isEqualTo(main);
  }
}
