/* What the message's own files share: one format a type. */
#ifndef HT_PROTO_MESSAGE_IMPL_H
#define HT_PROTO_MESSAGE_IMPL_H

#include "core/wire.h"
#include "proto/message.h"

/* How a message of one type is encoded.
 *
 * Decoders read straight through; the reader's sticky error is asked for once,
 * in message_decode(). Arrays are allocated only for counts that the reader has
 * bounded by a limit and by the bytes that are left. */
struct message_format {
	const char *name;
	uint32_t fields; /* the type not counted */
	size_t bytes_max;
	void (*encode)(struct buf *out, const struct message *m);
	void (*decode)(struct message *m, struct wire_reader *r, struct arena *arena);
};

/* message_member.c */
extern const struct message_format format_trust, format_statements, format_enrol, format_enrolled;
/* message_feed.c */
extern const struct message_format format_digests, format_have, format_changes, format_held,
	format_ask, format_tell;

enum {
	SMALL_BYTES_MAX = 2048, /* also what surrounds the bulk of a greater one */
	ENTRY_BYTES_MAX = 40,   /* of DIGESTS, HAVE, HELD */
};

/* Room in the arena for `count` things of `size` bytes; fails the reader. */
static inline void *take_array(struct wire_reader *r, struct arena *arena, size_t count,
			       size_t size)
{
	void *array = arena_array(arena, count, size);

	if (!array)
		wire_fail(r, ERR_NOMEM);
	return array;
}

/* The count of an array of groups of `width` elements each. */
static inline size_t read_groups(struct wire_reader *r, uint32_t width, size_t count_max)
{
	uint32_t count = wire_array(r, (uint32_t)(width * count_max));

	if (count % width)
		wire_fail(r, ERR_FORMAT);
	return count / width;
}

#endif
