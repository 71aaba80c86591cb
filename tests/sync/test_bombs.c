/* sync and below: input that is small and claims to be huge, to whatever decodes what came from
 * another: refused by name, within 64 MiB of address space. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <dirent.h>
#include <sys/resource.h>

#include "core/limits.h"
#include "core/pack.h"
#include "core/statement.h"
#include "proto/message.h"
#include "proto/secret.h"
#include "sync/ticket.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#endif

enum { LIMIT_BYTES = 64 << 20, TAIL_BYTES = 64 << 10 };

/* ---- The limit ------------------------------------------------------------------- */

static struct rlimit unlimited;

#ifndef HAS_SANITIZER
static size_t address_space(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (!file || fscanf(file, "%lu", &pages) != 1)
		fail_msg("/proc/self/statm");
	fclose(file);
	return pages * 4096;
}
#endif

/* From here on LIMIT_BYTES more than there are now; what asks for more gets nothing. A
 * sanitizer's shadow does not fit in any limit: it looks for its own faults here. */
static int limit_memory(void **state)
{
	getrlimit(RLIMIT_AS, &unlimited);
#ifndef HAS_SANITIZER
	struct rlimit limit = unlimited;

	limit.rlim_cur = address_space() + LIMIT_BYTES;
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
	assert_null(malloc(LIMIT_BYTES)); /* the limit holds */
#endif
	return 0;
}

static int unlimit_memory(void **state)
{
	return setrlimit(RLIMIT_AS, &unlimited);
}

/* ---- Decoders ---------------------------------------------------------------------- */

static enum err decode_changeset(struct bytes input, struct arena *arena)
{
	struct replica_id self = { { 5 } };
	struct changeset cs;

	return changeset_decode(&cs, input, &self, arena, NULL);
}

static enum err decode_statement(struct bytes input, struct arena *arena)
{
	struct statement s;

	return statement_decode(&s, input, arena, NULL);
}

static enum err decode_message(struct bytes input, struct arena *arena)
{
	struct message m;

	return message_decode(&m, input, arena, NULL);
}

/* As a session does: what is packed, only CHANGES may be. */
static enum err decode_packed(struct bytes input, struct arena *arena)
{
	struct pack pack = PACK_EMPTY;
	enum err rc = ERR_FORMAT;

	if (pack_is_frame(input))
		rc = pack_restore(&pack, input, CHANGES_BYTES_MAX, arena, &input);
	if (rc == OK)
		rc = decode_message(input, arena);
	pack_release(&pack);
	return rc;
}

/* Ticket lines are text: `input` is what the line stands for. */
static enum err decode_ticket(struct bytes input, struct arena *arena)
{
	struct buf line = BUF_EMPTY;
	struct ticket ticket;
	enum err rc;

	buf_append_str(&line, "huitong1:");
	rc = base64_encode(&line, input);
	buf_append_byte(&line, 0);
	if (rc == OK)
		rc = ticket_decode(&ticket, (const char *)line.data, NULL);
	if (rc == OK)
		ticket_wipe(&ticket);
	buf_release(&line);
	return rc;
}

static void assert_refused(enum err (*decode)(struct bytes input, struct arena *arena),
			   struct bytes input, const char *what)
{
	struct arena arena = ARENA_EMPTY;
	enum err rc = decode(input, &arena);

	if (rc != ERR_FORMAT && rc != ERR_LIMIT && rc != ERR_INVALID && rc != ERR_VERSION)
		fail_msg("%s: '%s'", what, err_name(rc));
	arena_release(&arena);
}

/* ---- msgpack ------------------------------------------------------------------------- */

/* What a bomb begins with, and what follows again and again. */
static const struct {
	const char *name;
	const char *head, *rest;
	size_t head_bytes, rest_bytes;
} bombs[] = {
#define BOMB(name, head, rest)                                       \
	{                                                            \
		name, head, rest, sizeof(head) - 1, sizeof(rest) - 1 \
	}
	BOMB("array of 4 billion", "\xdd\xff\xff\xff\xff", "\xc0"),
	BOMB("array of 65,535", "\xdc\xff\xff", "\x00"),
	BOMB("array of as many as there are bytes", "\xdd\x00\x00\xff\xf0", "\x00"),
	BOMB("map of 4 billion", "\xdf\xff\xff\xff\xff", "\xc0"),
	BOMB("bytes, 4 GiB of them", "\xc6\xff\xff\xff\xff", "x"),
	BOMB("bytes, 1 GiB of them", "\xc6\x40\x00\x00\x00", "x"),
	BOMB("bytes, 16 MiB of them", "\xc6\x01\x00\x00\x00", "x"),
	BOMB("text, 4 GiB of it", "\xdb\xff\xff\xff\xff", "x"),
	BOMB("extension of 4 GiB", "\xc9\xff\xff\xff\xff\x01", "x"),
	BOMB("arrays in arrays", "", "\x91"),
	BOMB("large arrays in arrays", "", "\xdd\x00\x00\xff\xff"),
	BOMB("maps in maps", "", "\x81"),
	BOMB("the largest number", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "\xff"),
#undef BOMB
};

enum { BOMB_COUNT = sizeof(bombs) / sizeof(bombs[0]) };

static void put_bomb(struct buf *out, size_t which, size_t tail_bytes)
{
	size_t rest_bytes = bombs[which].rest_bytes;
	uint8_t *tail;

	buf_append(out, bombs[which].head, bombs[which].head_bytes);
	tail = buf_grow(out, tail_bytes);
	assert_non_null(tail);
	memset(tail, bombs[which].rest[0], tail_bytes);
	for (size_t i = 0; rest_bytes > 1 && i < tail_bytes; i++)
		tail[i] = (uint8_t)bombs[which].rest[i % rest_bytes];
}

/* In place of what stands at every byte of a valid input. */
static size_t bomb_everywhere(enum err (*decode)(struct bytes input, struct arena *arena),
			      struct bytes valid)
{
	struct buf input = BUF_EMPTY;
	char what[128];

	for (size_t i = 0; i < BOMB_COUNT; i++) {
		struct buf charge = BUF_EMPTY;

		put_bomb(&charge, i, TAIL_BYTES);
		for (size_t at = 0; at < valid.size; at++) {
			buf_clear(&input);
			buf_append(&input, valid.data, at);
			buf_append(&input, charge.data, charge.size);
			snprintf(what, sizeof(what), "byte %zu: %s", at, bombs[i].name);
			assert_refused(decode, buf_bytes(&input), what);
		}
		buf_release(&charge);
	}
	buf_release(&input);
	return valid.size * BOMB_COUNT;
}

static void read_file(const char *folder, const char *name, struct buf *out)
{
	char path[512];
	FILE *file;
	int byte;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	assert_non_null(file);
	while ((byte = getc(file)) != EOF)
		buf_append_byte(out, (uint8_t)byte);
	fclose(file);
}

/* The corpus of its fuzz target has valid inputs of all kinds. */
static void bomb(const char *subject, enum err (*decode)(struct bytes input, struct arena *arena))
{
	struct buf valid = BUF_EMPTY;
	struct dirent *entry;
	size_t count = 0;
	char folder[256];
	DIR *dir;

	snprintf(folder, sizeof(folder), HUITONG_SOURCE_DIR "/tests/fuzz/corpus/%s", subject);
	dir = opendir(folder);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		buf_clear(&valid);
		read_file(folder, entry->d_name, &valid);
		count += bomb_everywhere(decode, buf_bytes(&valid));
	}
	closedir(dir);
	buf_release(&valid);
	print_message("%zu bombs\n", count);
	assert_true(count > BOMB_COUNT);
}

static void bombs_in_changesets(void **state)
{
	bomb("changeset", decode_changeset);
}

static void bombs_in_statements(void **state)
{
	bomb("statement", decode_statement);
}

static void bombs_in_messages(void **state)
{
	bomb("message", decode_message);
}

/* The corpus has lines of text; what they stand for is what may explode. */
static void bombs_in_tickets(void **state)
{
	struct buf line = BUF_EMPTY, valid = BUF_EMPTY, input = BUF_EMPTY;

	read_file(HUITONG_SOURCE_DIR "/tests/fuzz/corpus/ticket", "one", &line);
	buf_append_byte(&line, 0);
	line.data[strcspn((char *)line.data, "\n")] = 0;
	assert_int_equal(base64_decode(&valid, strchr((char *)line.data, ':') + 1), OK);
	print_message("%zu bombs\n", bomb_everywhere(decode_ticket, buf_bytes(&valid)));
	/* And what a line can hold at most. */
	for (size_t i = 0; i < BOMB_COUNT; i++) {
		buf_clear(&input);
		put_bomb(&input, i, TICKET_TEXT_MAX * 3 / 4 - 64);
		assert_refused(decode_ticket, buf_bytes(&input), bombs[i].name);
	}
	buf_release(&line);
	buf_release(&valid);
	buf_release(&input);
}

static void bombs_of_the_greatest_size(void **state)
{
	struct buf input = BUF_EMPTY;

	for (size_t i = 0; i < BOMB_COUNT; i++) {
		buf_clear(&input);
		put_bomb(&input, i, PROTO_MESSAGE_BYTES_MAX - 16);
		assert_refused(decode_message, buf_bytes(&input), bombs[i].name);
		assert_refused(decode_changeset, buf_bytes(&input), bombs[i].name);
		assert_refused(decode_statement, buf_bytes(&input), bombs[i].name);
	}
	buf_release(&input);
}

/* ---- What is legal and swells --------------------------------------------------------- */

/* A body of the greatest size, all of it references: each becomes many times larger. */
static void greatest_legal_changeset_fits(void **state)
{
	enum { OPS = 1000 };
	static struct target targets[OP_REPLACED_MAX];
	static struct op ops[OPS];
	struct changeset cs = { .hlc = { 1 }, .ops = ops, .op_count = OPS }, back;
	struct arena arena = ARENA_EMPTY;
	struct replica_id self = { { 5 } };
	struct buf body = BUF_EMPTY;
	struct errmsg msg = { 0 };

	for (size_t i = 0; i < OP_REPLACED_MAX; i++) {
		targets[i].dot.replica = self;
		targets[i].dot.seq = i + 1;
	}
	for (size_t i = 0; i < OPS; i++) {
		ops[i] = (struct op){ .kind = 1,
				      .field = 1,
				      .verb = VERB_REPLACE,
				      .value = { .type = VALUE_NIL },
				      .targets = targets,
				      .target_count = OP_REPLACED_MAX };
		ops[i].record.bytes[0] = (uint8_t)(i >> 8);
		ops[i].record.bytes[1] = (uint8_t)i;
	}
	if (changeset_encode(&body, &cs, &self, &arena, &msg) != OK)
		fail_msg("%s", msg.text);
	arena_release(&arena);
	print_message("%zu bytes\n", body.size);
	assert_int_equal(changeset_decode(&back, buf_bytes(&body), &self, &arena, &msg), OK);
	assert_int_equal(back.op_count, OPS);
	arena_release(&arena);
	buf_release(&body);
}

/* ---- zstd (RFC 8878) -------------------------------------------------------------------- */

enum {
	SINGLE_SEGMENT = 1 << 5,
	SIZE_IN_8 = 3 << 6, /* bytes, of the content's size */
	SIZE_IN_4 = 2 << 6,
	HAS_DICTIONARY = 3,
	RLE_BLOCK_BYTES = 128 << 10,
};

static void put_le(struct buf *out, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		buf_append_byte(out, (uint8_t)(value >> 8 * i));
}

/* A frame that claims `size` bytes and has this many blocks of 128 KiB, in four bytes each. */
static void put_frame(struct buf *out, uint64_t size, size_t block_count)
{
	put_le(out, 0xfd2fb528, 4);
	buf_append_byte(out, SIZE_IN_8 | SINGLE_SEGMENT);
	put_le(out, size, 8);
	for (size_t i = 0; i < block_count; i++) {
		bool is_last = i + 1 == block_count;

		put_le(out, (uint64_t)RLE_BLOCK_BYTES << 3 | 1 << 1 | is_last, 3);
		buf_append_byte(out, 0x91);
	}
}

static void frames_that_claim_or_hold_too_much(void **state)
{
	static const struct {
		const char *what;
		uint64_t claimed;
		size_t block_count;
	} cases[] = {
		{ "claims 2^64 - 2", UINT64_MAX - 1, 1 },
		{ "claims 2^63", UINT64_C(1) << 63, 1 },
		{ "claims 4 GiB", UINT64_C(4) << 30, 1 },
		{ "claims one too many", CHANGES_BYTES_MAX + 1, 1 },
		{ "holds 1 GiB and says so", UINT64_C(1) << 30, 8192 },
		{ "holds 1 GiB and claims 1 byte", 1, 8192 },
		{ "holds 1 GiB and claims what is allowed", CHANGES_BYTES_MAX, 8192 },
		{ "holds arrays in arrays, as many as are allowed", CHANGES_BYTES_MAX, 16 },
		{ "holds nothing and claims what is allowed", CHANGES_BYTES_MAX, 0 },
	};
	struct buf input = BUF_EMPTY;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&input);
		put_frame(&input, cases[i].claimed, cases[i].block_count);
		assert_refused(decode_packed, buf_bytes(&input), cases[i].what);
	}
	buf_release(&input);
}

static void frames_of_odd_forms(void **state)
{
	struct buf input = BUF_EMPTY;

	/* No size, and the greatest window there is. */
	put_le(&input, 0xfd2fb528, 4);
	buf_append(&input, "\x00\xff\x01\x00\x00", 5);
	assert_refused(decode_packed, buf_bytes(&input), "no size");

	/* Needs a dictionary. */
	buf_clear(&input);
	put_le(&input, 0xfd2fb528, 4);
	buf_append_byte(&input, SIZE_IN_4 | SINGLE_SEGMENT | HAS_DICTIONARY);
	put_le(&input, 0xffffffff, 4);
	put_le(&input, 100, 4);
	put_le(&input, 1, 3);
	assert_refused(decode_packed, buf_bytes(&input), "dictionary");

	/* A frame to be skipped, 4 GiB of it, alone and before a real one. */
	buf_clear(&input);
	put_le(&input, 0x184d2a50, 4);
	put_le(&input, 0xffffffff, 4);
	assert_refused(decode_packed, buf_bytes(&input), "skippable");
	buf_clear(&input);
	put_le(&input, 0x184d2a50, 4);
	put_le(&input, 0, 4);
	put_frame(&input, CHANGES_BYTES_MAX, 8192);
	assert_refused(decode_packed, buf_bytes(&input), "skippable before a bomb");

	/* Two frames, the second a bomb: the first one's size counts. */
	buf_clear(&input);
	put_frame(&input, RLE_BLOCK_BYTES, 1);
	put_frame(&input, UINT64_C(1) << 30, 8192);
	assert_refused(decode_packed, buf_bytes(&input), "two frames");
	buf_release(&input);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bombs_in_changesets),
		cmocka_unit_test(bombs_in_statements),
		cmocka_unit_test(bombs_in_messages),
		cmocka_unit_test(bombs_in_tickets),
		cmocka_unit_test(bombs_of_the_greatest_size),
		cmocka_unit_test(greatest_legal_changeset_fits),
		cmocka_unit_test(frames_that_claim_or_hold_too_much),
		cmocka_unit_test(frames_of_odd_forms),
	};

	return cmocka_run_group_tests(tests, limit_memory, unlimit_memory);
}
