/* What differs between two texts, in pieces as people see them (core/segment.h). Pure. */
#ifndef HT_CORE_DIFFERENCE_H
#define HT_CORE_DIFFERENCE_H

#include "core/segment.h"

/* One place where they differ, and what is the same before it; borrowed from the texts. */
struct difference_part {
	struct bytes same, gone, come;
	size_t at; /* code points of the first text before what is gone */
};

struct difference {
	struct difference_part *list; /* from the beginning to the end */
	size_t count;
	struct bytes rest; /* what is the same at the end */
};

#define DIFFERENCE_EMPTY ((struct difference){ 0 })

/* Both are valid UTF-8 and outlive the difference. ERR_NOMEM, ERR_LIMIT. */
MUST_CHECK enum err difference_make(struct difference *out, struct bytes from, struct bytes to,
				    segment_size *segment);
void difference_release(struct difference *d);

/* Of a difference of words, as people would tell it: changes between which almost nothing is the
 * same are one ("[-on Monday-]{+next Friday+}"), and a line that was put in is a line. */
void difference_tidy(struct difference *d);

#endif
