/* Compiler attributes used throughout, under one spelling. */
#ifndef HT_CORE_ATTRS_H
#define HT_CORE_ATTRS_H

/* The caller must look at the result. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* printf-like; fmt and args are 1-based argument positions. */
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#endif
