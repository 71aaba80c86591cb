/* An example: how a program embeds a replica and lets somebody write in one of its texts.
 *
 * The editor is as small as can be: one line of UTF-16, as a web page has it. What a real one
 * adds is a loop that waits for keys and for replica_refresh(). Here somebody in Frankfurt writes
 * in the same text meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <uchar.h>

#include "core/schema.h"
#include "core/text_doc.h"
#include "core/utf8.h"
#include "tests/support/office.h"

enum { LINE_UNITS = 200 };

struct line {
	char16_t units[LINE_UNITS];
	uint32_t count;
};

/* ---- What the editor has to do itself: change its buffer ------------------- */

static uint32_t to_utf16(struct bytes text, char16_t *out)
{
	uint32_t count = 0, cp;

	while (utf8_next(&text, &cp)) {
		if (cp > 0xffff)
			out[count++] = (char16_t)(0xd800 + ((cp - 0x10000) >> 10));
		out[count++] = (char16_t)(cp > 0xffff ? 0xdc00 + ((cp - 0x10000) & 0x3ff) : cp);
	}
	return count;
}

static enum err line_insert(void *ctx, uint32_t pos, struct bytes text, uint32_t count)
{
	struct line *l = ctx;

	if (count > LINE_UNITS - l->count)
		return ERR_LIMIT;
	memmove(l->units + pos + count, l->units + pos, (l->count - pos) * sizeof(*l->units));
	l->count += count;
	to_utf16(text, l->units + pos);
	return OK;
}

static enum err line_remove(void *ctx, uint32_t pos, uint32_t count)
{
	struct line *l = ctx;

	l->count -= count;
	memmove(l->units + pos, l->units + pos + count, (l->count - pos) * sizeof(*l->units));
	return OK;
}

/* ---- The cycle ------------------------------------------------------------- */

struct session {
	struct replica *replica;
	struct text_doc *doc;
	struct line line;
	struct buf version; /* of the text that `line` shows */
};

static enum err session_open(struct session *s, struct replica *r, const struct record_id *block,
			     struct errmsg *msg)
{
	struct buf text = BUF_EMPTY;
	enum err rc = text_doc_open(&s->doc, r, KIND_BLOCK, block, BLOCK_TEXT, msg);

	s->replica = r;
	if (rc == OK)
		rc = text_doc_read(s->doc, &text, msg);
	if (rc == OK)
		rc = text_doc_version(s->doc, &s->version, msg);
	if (rc == OK)
		rc = line_insert(&s->line, 0, buf_bytes(&text),
				 to_utf16(buf_bytes(&text), (char16_t[LINE_UNITS]){ 0 }));
	buf_release(&text);
	return rc;
}

/* A key was pressed, or something was pasted: it is on disk when this returns. */
static enum err session_type(struct session *s, uint32_t pos, uint32_t removed, const char *text,
			     uint64_t now_ms, struct errmsg *msg)
{
	struct text_splice splice = { pos, removed, bytes_of_str(text) };
	char16_t units[LINE_UNITS];
	enum err rc = text_doc_splice(s->doc, buf_bytes(&s->version), ROPE_UTF16, &splice, 1, NULL,
				      now_ms, &s->version, msg);

	if (rc == OK)
		rc = line_remove(&s->line, pos, removed);
	return rc == OK ? line_insert(&s->line, pos, splice.inserted,
				      to_utf16(splice.inserted, units))
			: rc;
}

/* The daemon has merged something, or another program on this machine has written. */
static enum err session_look(struct session *s, struct errmsg *msg)
{
	struct text_sink sink = { line_insert, line_remove, &s->line };
	bool changed;
	enum err rc = replica_refresh(s->replica, &changed, msg);

	if (rc == OK)
		rc = text_doc_refresh(s->doc, &changed, msg);
	if (rc == OK)
		rc = text_doc_since(s->doc, buf_bytes(&s->version), ROPE_UTF16, &sink, msg);
	if (rc != OK)
		return rc;
	buf_clear(&s->version);
	return text_doc_version(s->doc, &s->version, msg);
}

static void session_close(struct session *s)
{
	text_doc_close(s->doc);
	buf_release(&s->version);
}

/* ---- Two people, two offices ----------------------------------------------- */

static bool shows(const struct session *s, const char16_t *text, size_t bytes)
{
	return s->line.count == bytes / sizeof(*text) - 1 &&
	       memcmp(s->line.units, text, bytes - sizeof(*text)) == 0;
}

#define SHOWS(session, text) shows(session, text, sizeof(text))

static void two_people_write_one_line(void **state)
{
	struct office shanghai, frankfurt;
	struct session s = { .version = BUF_EMPTY };
	struct value text = value_str("The 😀 ship sails.");
	struct value there = value_str("The 😀 ship sails on Monday.");
	struct record_id block;
	struct space_id space;

	(void)state;
	office_open(&shanghai, NULL, 1);
	office_open(&frankfurt, NULL, 2);
	space = UNITE(&shanghai, &frankfurt);
	block = office_create(&shanghai, &space, KIND_BLOCK, BLOCK_TEXT, &text);
	office_sync(&shanghai, &frankfurt);

	OFFICE_MUST(session_open(&s, shanghai.replica, &block, &msg));
	OFFICE_MUST(session_type(&s, 7, 4, "货轮", shanghai.now_ms++, &msg));
	assert_true(SHOWS(&s, u"The 😀 货轮 sails."));

	office_set(&frankfurt, &space, KIND_BLOCK, &block, BLOCK_TEXT, &there);
	office_sync(&shanghai, &frankfurt);

	OFFICE_MUST(session_type(&s, 0, 0, "> ", shanghai.now_ms++, &msg)); /* not having looked */
	OFFICE_MUST(session_look(&s, &msg));
	assert_true(SHOWS(&s, u"> The 😀 货轮 sails on Monday."));

	session_close(&s);
	office_close(&shanghai);
	office_close(&frankfurt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_people_write_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
