package dev.stubpool.seccomp.proof;

import dev.stubpool.seccomp.SeccompData;
import java.util.BitSet;
import java.util.Optional;

/**
 * An exact set of filter inputs; an immutable value.
 *
 * <p>Sets are equal if they have the same elements and come from the same {@link InputSets}; only
 * such sets can be combined. Like its {@link InputSets}, a set is not thread-safe.
 *
 * <p>Every method that returns a set throws {@link UndecidedException} if the set would exceed the
 * limit.
 */
public final class InputSet {

  private final InputSets owner;
  private final int function;

  InputSet(InputSets owner, int function) {
    this.owner = owner;
    this.function = function;
  }

  InputSets owner() {
    return owner;
  }

  int function() {
    return function;
  }

  /**
   * The intersection of two sets.
   *
   * @param other the other set
   * @return the intersection
   * @throws IllegalArgumentException if the other set is not of the same {@link InputSets}
   */
  public InputSet and(InputSet other) {
    return owner.set(() -> owner.bdd().and(function, owner.function(other)));
  }

  /**
   * The union of two sets.
   *
   * @param other the other set
   * @return the union
   * @throws IllegalArgumentException if the other set is not of the same {@link InputSets}
   */
  public InputSet or(InputSet other) {
    return owner.set(() -> owner.bdd().or(function, owner.function(other)));
  }

  /**
   * The inputs in this set that are not in the other one.
   *
   * @param other the other set
   * @return the difference
   * @throws IllegalArgumentException if the other set is not of the same {@link InputSets}
   */
  public InputSet minus(InputSet other) {
    return owner.set(() -> owner.bdd().minus(function, owner.function(other)));
  }

  /**
   * The inputs that are not in this set.
   *
   * @return the complement
   */
  public InputSet complement() {
    return new InputSet(owner, Bdd.not(function));
  }

  /**
   * The inputs that are in the set once some bits of a word are set to given values.
   *
   * @param offset the word's offset in bytes, a multiple of 4 from 0 to 60
   * @param mask the bits
   * @param value their values
   * @return a set that does not depend on these bits
   */
  public InputSet with(int offset, int mask, int value) {
    return owner.set(() -> owner.bdd().restrict(function, owner.restriction(offset, mask, value)));
  }

  /**
   * The inputs that are in the set for some values of given bits of a word.
   *
   * @param offset the word's offset in bytes, a multiple of 4 from 0 to 60
   * @param mask the bits
   * @return a set that does not depend on these bits
   */
  public InputSet ignoring(int offset, int mask) {
    BitSet quantified = owner.variables(offset, mask);
    return owner.set(() -> owner.bdd().exists(function, quantified));
  }

  /**
   * Whether the set depends on some bits of a word.
   *
   * @param offset the word's offset in bytes, a multiple of 4 from 0 to 60
   * @param mask the bits
   * @return whether a change of these bits alone can move an input into the set or out of it
   */
  public boolean dependsOn(int offset, int mask) {
    return owner.bdd().support(function).intersects(owner.variables(offset, mask));
  }

  /**
   * Whether the set is empty.
   *
   * @return whether it is empty
   */
  public boolean isEmpty() {
    return function == Bdd.FALSE;
  }

  /**
   * Whether this set is a subset of another one.
   *
   * @param other the other set
   * @return whether this is a subset
   * @throws IllegalArgumentException if the other set is not of the same {@link InputSets}
   */
  public boolean isSubsetOf(InputSet other) {
    return minus(other).isEmpty();
  }

  /**
   * Whether an input is in the set.
   *
   * @param data the input
   * @return whether it is
   */
  public boolean contains(SeccompData data) {
    return owner.bdd().evaluate(function, owner.order().values(data));
  }

  /**
   * A readable element: if possible a call that x86-64 has, else one that another architecture has;
   * then with the fewest bits set in the arguments, then with the least number. The example of a
   * set is deterministic.
   *
   * @return an element, or nothing if the set is empty
   */
  public Optional<SeccompData> example() {
    return owner.example(function);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof InputSet set && set.owner == owner && set.function == function;
  }

  @Override
  public int hashCode() {
    return Integer.hashCode(function);
  }

  /**
   * Describes the set.
   *
   * @return its example, if it has one
   */
  @Override
  public String toString() {
    return example().map(data -> "{" + data + ", ...}").orElse("{}");
  }
}
