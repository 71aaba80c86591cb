/* Encoded bytes spelt out, so that a test can say what no encoder would:
 *
 *     7    integer            'x   string                           #5   16 bytes 05
 *     [3   array of 3         ~x   string with a zero at its end    $5   32 bytes 05
 *     -    nil                ^x   bytes                            %5   64 bytes 05
 *     T F  bool
 *
 * Tokens are parted by blanks. */
#ifndef HT_TESTS_SUPPORT_SPELL_H
#define HT_TESTS_SUPPORT_SPELL_H

#include "core/bytes.h"

/* Released by the caller. */
struct buf spell(const char *text);

#endif
