/* The text that a command line means: a record, and which of its texts. */
#ifndef HT_NODE_TEXT_SUBJECT_H
#define HT_NODE_TEXT_SUBJECT_H

#include "core/text.h"
#include "node/args.h"
#include "node/ref.h"

struct text_subject {
	struct context *ctx;
	struct ref ref;
	struct space_id space;
	const struct kind *kind;
	const struct field *field;
	const char *name;  /* of the record, as it was typed */
	size_t word_count; /* of the command line that name it */
};

/* "RECORD [FIELD]", or of a command that has its field "RECORD". The field of a kind that has but
 * one text may be left out. A word with a '/' is none: it names a version. ERR_NOT_FOUND and
 * ERR_AMBIGUOUS of the record; ERR_INVALID lists the texts that the kind has. */
MUST_CHECK enum err text_subject_find(struct text_subject *out, struct context *ctx,
				      const struct args *args, struct errmsg *msg);

/* With its history; the caller releases it. */
MUST_CHECK enum err text_subject_open(const struct text_subject *s, struct text *out,
				      struct errmsg *msg);

/* The text at a version, and its newest edits, in the context's arena. The version is given by
 * dots; or by its name (core/text_version.h), NULL for the text as it is now. ERR_NOT_FOUND for
 * what is not here, ERR_AMBIGUOUS. */
MUST_CHECK enum err text_subject_at(const struct text_subject *s, const struct dot *heads,
				    size_t count, struct text_version *out, struct errmsg *msg);
MUST_CHECK enum err text_subject_version(const struct text_subject *s, const char *name,
					 struct text_version *out, struct errmsg *msg);

/* Say under the error how to find its versions. */
void text_subject_advise_history(const struct text_subject *s);

#endif
