/* Examples in docs/PROTOCOL.md: blocks fenced as ```name, of lines "label: hex" that
 * continue on indented lines. For cmocka tests: what is missing fails the test. */
#ifndef HT_TESTS_SUPPORT_DOCUMENT_H
#define HT_TESTS_SUPPORT_DOCUMENT_H

#include "core/bytes.h"

/* The block's text, terminated; released by the caller. */
struct buf document_block(const char *name);

/* The bytes of the line `label`; released by the caller. */
struct buf document_field(const struct buf *block, const char *label);

/* The line says what was made; `made` is cleared. */
void document_assert(const struct buf *block, const char *label, struct buf *made);

#endif
