package dev.stubpool.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          ""                       | unknown command ''; try stubpool --help
          dmo                      | unknown command 'dmo', did you mean demo?; try stubpool --help
          xyzzy                    | unknown command 'xyzzy'; try stubpool --help
          --stubs                  | unknown option '--stubs'; try stubpool --help
          demo --stub 3            | unknown option '--stub'; try stubpool demo --help
          demo 3                   | unexpected argument '3'; try stubpool demo --help
          demo --stubs             | --stubs needs a value, N; try stubpool demo --help
          demo --stubs 0           | --stubs: '0' is not a number from 1 to 20000; try stubpool demo --help
          demo --stubs -1          | --stubs: '-1' is not a number from 1 to 20000; try stubpool demo --help
          demo --stubs 20001       | --stubs: '20001' is not a number from 1 to 20000; try stubpool demo --help
          demo --stubs 99999999999 | --stubs: '99999999999' is not a number from 1 to 20000; try stubpool demo --help
          demo --stubs=many        | --stubs: 'many' is not a number from 1 to 20000; try stubpool demo --help
          demo --stubs 1 --stubs 2 | --stubs is given twice; try stubpool demo --help
          run                      | no PROGRAM given; try stubpool run --help
          run --                   | no PROGRAM given; try stubpool run --help
          run --ro                 | --ro needs a value, PATH; try stubpool run --help
          run --rw / true          | unknown option '--rw'; try stubpool run --help
          ps 1                     | unexpected argument '1'; try stubpool ps --help
          ps --jsn                 | unknown option '--jsn'; try stubpool ps --help
          inspect                  | no PID given; try stubpool inspect --help
          inspect java             | PID: 'java' is not a process id; try stubpool inspect --help
          inspect 0                | PID: '0' is not a process id; try stubpool inspect --help
          inspect 2147483648       | PID: '2147483648' is not a process id; try stubpool inspect --help
          inspect 1 2              | unexpected argument '2'; try stubpool inspect --help
          maps                     | no PID given; try stubpool maps --help
          maps init                | PID: 'init' is not a process id; try stubpool maps --help
          maps 0                   | PID: '0' is not a process id; try stubpool maps --help
          maps -1                  | PID: '-1' is not a process id; try stubpool maps --help
          maps 1 2                 | unexpected argument '2'; try stubpool maps --help
          """)
  void shouldSayInOneLineWhatIsWrongWithTheArguments(String arguments, String message) {
    Outcome outcome = Outcome.of(arguments.split(" "));

    assertThat(outcome.err()).isEqualTo("stubpool: " + message + System.lineSeparator());
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.status()).isEqualTo(2);
  }

  @Test
  void shouldAskForACommandWhenThereIsNone() {
    Outcome outcome = Outcome.of();

    assertThat(outcome.err())
        .isEqualTo("stubpool: no command given; try stubpool --help" + System.lineSeparator());
    assertThat(outcome.status()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--help",
        "-h",
        "demo --help",
        "run --help",
        "ps --help",
        "inspect --help",
        "maps --help",
        "maps -h"
      })
  void shouldHelp(String arguments) {
    Outcome outcome = Outcome.of(arguments.split(" "));

    assertThat(outcome.out()).startsWith("Usage: stubpool");
    assertThat(outcome.out().lines()).allSatisfy(line -> assertThat(line).hasSizeLessThan(81));
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.status()).isZero();
  }

  @Test
  void shouldTellItsVersion() {
    Outcome outcome = Outcome.of("--version");

    assertThat(outcome.out()).startsWith("stubpool ").contains(", Java ").contains("Linux");
    assertThat(outcome.status()).isZero();
  }
}
