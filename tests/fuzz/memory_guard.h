/* Aborts a program that takes more memory for one input than any input may cost.
 *
 * memory_guard.c replaces malloc and its kin in the whole process and counts
 * what is live, so that a block which is asked for and never touched counts too.
 * Under sanitizers, which replace them themselves, it is not linked and both
 * functions are NULL. Blocks of chosen alignment are not counted. */
#ifndef HT_TESTS_FUZZ_MEMORY_GUARD_H
#define HT_TESTS_FUZZ_MEMORY_GUARD_H

#define MEMORY_GUARD_BYTES_MAX ((size_t)64 << 20)

/* What is live at the start is free of charge. */
__attribute__((weak)) void memory_guard_start(void);
__attribute__((weak)) void memory_guard_stop(void);

#endif
