/* A text of a record, open for editors: what they have typed comes in against the version they
 * have, what others have changed goes out since that version.
 *
 *     open -> read, version                     the editor's buffer, and what it is called
 *       |
 *     refresh -> since(version)                 changes to the buffer as it is; then it is what
 *       |                                       text_doc_version() says
 *     splice(version, changes) -> version       the buffer as it is has this name now
 *       |
 *     refresh -> since(version) ...
 *
 * Any number of editors may share one; each keeps no more than its buffer and the name of its
 * version (core/text_version.h), which outlives the document, this process and the office. An
 * editor may be behind: what it hands in is merged with what it has not seen, as if it had been
 * written in another office.
 *
 * Positions and counts are in the unit that a call names: UTF-8 bytes (ROPE_BYTES), code points
 * (ROPE_POINTS) or UTF-16 units (ROPE_UTF16); text itself is always UTF-8. What would cut a
 * character in two is refused. Changes in a list follow each other: each is relative to the text
 * as the one before left it.
 *
 * refresh() and splice() look at the store: they read the edits that are new, neither the history
 * nor the text. Changes since a version that was current while the document was open cost what
 * has changed since; since an older one, a walk through the history.
 *
 * A document borrows its replica, and belongs to the same thread. */
#ifndef HT_CORE_TEXT_DOC_H
#define HT_CORE_TEXT_DOC_H

#include "core/replica.h"
#include "core/text.h"

struct text_doc;

/* ERR_NOT_FOUND: no such record; ERR_INVALID: the field is no text. */
MUST_CHECK enum err text_doc_open(struct text_doc **out, struct replica *r, uint16_t kind,
				  const struct record_id *id, uint8_t field, struct errmsg *msg);
void text_doc_close(struct text_doc *d); /* NULL-safe; before the replica is closed */

/* Something may have changed: after replica_refresh(), replica_receive(), another edit. The
 * text stays as it was between two calls. */
MUST_CHECK enum err text_doc_refresh(struct text_doc *d, bool *changed, struct errmsg *msg);

/* Append the text, or the name of its version. */
MUST_CHECK enum err text_doc_read(struct text_doc *d, struct buf *out, struct errmsg *msg);
MUST_CHECK enum err text_doc_version(struct text_doc *d, struct buf *out, struct errmsg *msg);

/* Tell what has changed since a version, from the beginning of the text to its end: as little
 * as there is between the two. The sink leaves the document alone. ERR_NOT_FOUND,
 * ERR_AMBIGUOUS: no such version (it may have ceased to count, M-14); or what the sink says. */
MUST_CHECK enum err text_doc_since(struct text_doc *d, struct bytes version, enum rope_unit unit,
				   const struct text_sink *sink, struct errmsg *msg);

/* At a position, take so many units out and put a text in. */
struct text_splice {
	uint32_t pos, removed;
	struct bytes inserted;
};

/* What an editor has changed in the version: one changeset, durable when it returns, written at
 * `now_ms` by `author` (NULL: the node itself). Refreshes. *after: what the editor has now
 * (`version` may be its bytes); no changes, no changeset, and the same version.
 * ERR_INVALID: a position past the end or within a character, U+0000, no UTF-8; or the version
 * has a "~", and the edit would have to be told from what it does not have: since() first.
 * ERR_LIMIT; ERR_NOT_FOUND, ERR_AMBIGUOUS: no such version; and all that an edit may say. */
MUST_CHECK enum err text_doc_splice(struct text_doc *d, struct bytes version, enum rope_unit unit,
				    const struct text_splice *list, size_t count,
				    const struct record_id *author, uint64_t now_ms,
				    struct buf *after, struct errmsg *msg);

/* The text with all its history, for text_at() and text_blame(). Borrowed until the next call. */
MUST_CHECK enum err text_doc_text(struct text_doc *d, struct text **out, struct errmsg *msg);

#endif
