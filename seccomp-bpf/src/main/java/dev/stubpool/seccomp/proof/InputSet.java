package dev.stubpool.seccomp.proof;

import dev.stubpool.seccomp.SeccompData;
import java.util.BitSet;
import java.util.Optional;

/**
 * A set of system calls as filters see them, exact; a value.
 *
 * <p>Sets are equal if they have the same elements and come from the same {@link InputSets}; only
 * such sets can be combined. Like its origin, a set belongs to one thread.
 *
 * <p>Every method that returns a set throws {@link UndecidedException} where that would become too
 * large.
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
   * What is in both sets.
   *
   * @param other the other set
   * @return the intersection
   * @throws IllegalArgumentException if the other set is not of the same {@link InputSets}
   */
  public InputSet and(InputSet other) {
    return owner.set(() -> owner.bdd().and(function, owner.function(other)));
  }

  /**
   * What is in at least one of the sets.
   *
   * @param other the other set
   * @return the union
   * @throws IllegalArgumentException if the other set is not of the same {@link InputSets}
   */
  public InputSet or(InputSet other) {
    return owner.set(() -> owner.bdd().or(function, owner.function(other)));
  }

  /**
   * What is in this set and not in the other one.
   *
   * @param other the other set
   * @return the difference
   * @throws IllegalArgumentException if the other set is not of the same {@link InputSets}
   */
  public InputSet minus(InputSet other) {
    return owner.set(() -> owner.bdd().minus(function, owner.function(other)));
  }

  /**
   * What is not in the set.
   *
   * @return the complement
   */
  public InputSet complement() {
    return new InputSet(owner, Bdd.not(function));
  }

  /**
   * The inputs that are in the set once some bits of a word are set to given values.
   *
   * @param offset where the word lies, in bytes: a multiple of 4 from 0 to 60
   * @param mask the bits
   * @param value their values
   * @return a set that does not depend on these bits
   */
  public InputSet with(int offset, int mask, int value) {
    return owner.set(() -> owner.bdd().restrict(function, owner.restriction(offset, mask, value)));
  }

  /**
   * The inputs that are in the set, or would be with other bits in a word.
   *
   * @param offset where the word lies, in bytes: a multiple of 4 from 0 to 60
   * @param mask which bits do not matter
   * @return a set that does not depend on these bits
   */
  public InputSet ignoring(int offset, int mask) {
    BitSet quantified = owner.variables(offset, mask);
    return owner.set(() -> owner.bdd().exists(function, quantified));
  }

  /**
   * Whether any bits of a word matter.
   *
   * @param offset where the word lies, in bytes: a multiple of 4 from 0 to 60
   * @param mask which bits
   * @return whether there is an input that gets into the set, or out of it, by a change of these
   *     bits alone
   */
  public boolean dependsOn(int offset, int mask) {
    return owner.bdd().support(function).intersects(owner.variables(offset, mask));
  }

  /**
   * Whether there is nothing in the set.
   *
   * @return whether it is empty
   */
  public boolean isEmpty() {
    return function == Bdd.FALSE;
  }

  /**
   * Whether all of this set is in another one.
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
   * An element that people can read: where possible a call that x86-64 has, else one that another
   * architecture has; with as few bits set in the arguments as can be, and then the least number.
   * The same set has the same example every time.
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
   * The set as text.
   *
   * @return an element, if there is one
   */
  @Override
  public String toString() {
    return example().map(data -> "{" + data + ", ...}").orElse("{}");
  }
}
