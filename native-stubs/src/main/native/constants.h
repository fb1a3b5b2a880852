/*
 * Compiled to assembly, never run: build.sh turns each "->" line into a Java constant and one for the assembler, so
 * that every number used is the C compiler's own (the way Linux makes its asm-offsets.h).
 */
#ifndef STUBPOOL_CONSTANTS_H
#define STUBPOOL_CONSTANTS_H

/* Names are turned to strings here, in the outermost macro, before they are expanded themselves. */
#define INT(name, value) EMIT("int " #name, value)
#define LONG(name, value) EMIT("long " #name, value)
#define SAME(name) EMIT("int " #name, name)
#define EMIT(what, value) __asm__ volatile("\n.ascii \"->" what " %0\"" : : "i"((long)(value)))

#endif
