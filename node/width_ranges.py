#!/usr/bin/env python3
"""Writes node/width_ranges.h from the Unicode data that Python carries:
    python3 node/width_ranges.py > node/width_ranges.h

Ranges are joined across code points that are not assigned yet, which keeps them few."""
import unicodedata

FIRST = 0xA0  # below are ASCII and the controls, which width.c knows
HANGUL_VOWELS_AND_TAILS = range(0x1160, 0x1200)  # drawn into the syllable before them
SOFT_HYPHEN = 0xAD  # a format character, but terminals draw it

# East_Asian_Width is W by default here, and the emoji of later versions of Unicode come here.
WIDE_IN_ADVANCE = [(0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x1F6DC, 0x1F6DF),
                   (0x1FA70, 0x1FAFF), (0x20000, 0x2FFFD), (0x30000, 0x3FFFD)]


def columns(cp):
    """0, 1 or 2; None while nobody knows."""
    char = chr(cp)
    category = unicodedata.category(char)
    if category == 'Cn':
        return 2 if any(low <= cp <= high for low, high in WIDE_IN_ADVANCE) else None
    if cp in HANGUL_VOWELS_AND_TAILS:
        return 0
    if category in ('Mn', 'Me', 'Cf') and cp != SOFT_HYPHEN:
        return 0
    return 2 if unicodedata.east_asian_width(char) in 'WF' else 1


def ranges(wanted):
    found, is_open = [], False
    for cp in range(FIRST, 0x110000):
        here = columns(cp)
        if here == wanted and is_open:
            found[-1][1] = cp
        elif here == wanted:
            found.append([cp, cp])
        is_open = here == wanted or (here is None and is_open)
    return found


def table(name, comment, wanted):
    cells = ['{ 0x%x, 0x%x },' % tuple(r) for r in ranges(wanted)]
    lines = ['/* %s */' % comment, 'static const struct range %s[] = {' % name]
    line = ''
    for cell in cells:
        if len(line) + 1 + len(cell) > 92:
            lines.append('\t' + line)
            line = ''
        line += (' ' if line else '') + cell
    return '\n'.join(lines + ['\t' + line, '};'])


print('''/* Written by node/width_ranges.py from Unicode %s; for node/width.c only. */
/* clang-format off */
#ifndef HT_NODE_WIDTH_RANGES_H
#define HT_NODE_WIDTH_RANGES_H

#include <stdint.h>

struct range {
	uint32_t first, last;
};

%s

%s

#endif''' % (unicodedata.unidata_version,
             table('zero_width', 'No column: marks and format characters.', 0),
             table('wide', 'Two columns: East_Asian_Width W and F.', 2)))
