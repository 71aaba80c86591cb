/* What the files of a document share (core/text_doc.h). */
#ifndef HT_CORE_TEXT_DOC_IMPL_H
#define HT_CORE_TEXT_DOC_IMPL_H

#include "core/replica_impl.h"
#include "core/text_doc.h"
#include "core/text_log.h"
#include "core/text_patch.h"
#include "core/text_version.h"

/* When the text was made of so many edits, so many changes had been made to the rope. */
struct doc_mark {
	uint32_t edits;
	size_t items;
};

struct text_doc {
	struct replica *replica;
	const struct kind *kind;
	struct text_ref ref;
	struct space_id space;
	struct text text;
	uint32_t base;     /* number 0 stands for all rows before this one, if it is not 0 */
	uint32_t *numbers; /* in text.history, by those of the store's rows from `base` on */
	uint32_t row_count;
	size_t row_cap;
	bool is_whole;       /* somebody has asked for what is before the base */
	uint64_t serial;     /* of the state when it was read last */
	struct text_log log; /* of the rope, since the first mark */
	struct doc_mark *marks;
	size_t mark_count, mark_cap;
	bool is_stale; /* begin anew: it broke off half done, or the store tells another story */
};

/* Begin anew if it has to be. */
MUST_CHECK enum err doc_settle(struct text_doc *d, struct errmsg *msg);

/* A version that an editor names. */
struct doc_version {
	struct bytes name;
	struct text_version_heads heads;
	uint32_t lacks; /* the first edit that it has not, or TEXT_NONE */
};

/* ERR_NOT_FOUND, ERR_AMBIGUOUS and what reading the history says. */
MUST_CHECK enum err doc_find_version(struct text_doc *d, struct bytes name, struct arena *arena,
				     struct doc_version *out, struct errmsg *msg);

/* The text is as long then as its name says. ERR_NOT_FOUND: something in it counts no more. */
MUST_CHECK enum err doc_check_length(const struct doc_version *v, uint32_t length,
				     struct errmsg *msg);

/* The last mark at which the text had none but the first `edits`; NULL: it is forgotten. */
const struct doc_mark *doc_find_mark(const struct text_doc *d, uint32_t edits);
/* ERR_CORRUPT: the text is not what its edits make. */
enum err doc_is_damaged(struct errmsg *msg);
/* Have the rope say what it said at a mark, or, at NULL, nothing. ERR_NOMEM. */
MUST_CHECK enum err doc_go_back(struct text_doc *d, const struct doc_mark *mark);

/* A sink that changes the rope on the way from one version to another. It says ERR_CORRUPT where
 * the rope has no such place. */
struct doc_way {
	struct rope *rope;
	struct text_log *log;     /* notes the changes; may be NULL */
	struct text_patch *patch; /* adds them up; may be NULL */
};
struct text_sink doc_way_sink(struct doc_way *w);

#endif
