#include "core/rewritten.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "core/wire.h"

enum { KEY_BYTES = 96, RUN_ELEMENTS = 4 };

static void setting_key(char out[KEY_BYTES], const struct replica_id *replica,
			const struct space_id *space)
{
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];

	snprintf(out, KEY_BYTES, "rewritten:%s:%s", id_text(replica->bytes, a),
		 id_text(space->bytes, b));
}

/* [first, log_seq, [to, first, last, to_first, ...]] */
static enum err decode(struct rewritten *w, struct bytes input)
{
	struct wire_reader r = wire_reader_of(input);
	uint32_t elements;

	wire_array(&r, 3);
	w->first = wire_uint(&r, UINT64_MAX);
	w->log_seq = wire_uint(&r, UINT64_MAX);
	elements = wire_array(&r, UINT32_MAX);
	if (elements % RUN_ELEMENTS != 0)
		wire_fail(&r, ERR_FORMAT);
	if (!wire_is_ok(&r))
		return ERR_FORMAT;
	if (array_reserve(&w->runs, &w->cap, elements / RUN_ELEMENTS, sizeof(*w->runs)))
		return ERR_NOMEM;
	for (; w->count < elements / RUN_ELEMENTS; w->count++) {
		struct rewritten_run *run = &w->runs[w->count];

		wire_bin_exact(&r, run->to.bytes, ID_BYTES);
		run->first = wire_uint(&r, UINT64_MAX);
		run->last = wire_uint(&r, UINT64_MAX);
		run->to_first = wire_uint(&r, UINT64_MAX);
	}
	return wire_end(&r);
}

enum err rewritten_load(struct rewritten *out, struct store *s, const struct replica_id *replica,
			const struct space_id *space, struct errmsg *msg)
{
	struct rewritten w = { .replica = *replica, .space = *space };
	struct buf stored = BUF_EMPTY;
	char key[KEY_BYTES];
	enum err rc;

	setting_key(key, replica, space);
	rc = store_setting_get(s, key, &stored, NULL);
	if (rc == OK)
		rc = decode(&w, buf_bytes(&stored));
	buf_release(&stored);
	if (rc == OK || rc == ERR_NOT_FOUND) {
		*out = w;
		return OK;
	}
	rewritten_release(&w);
	if (rc == ERR_FORMAT || rc == ERR_LIMIT)
		return errmsg_set(msg, ERR_CORRUPT, "the setting %s is damaged", key);
	return errmsg_set(msg, rc, "read the setting %s", key);
}

enum err rewritten_save(const struct rewritten *w, struct store *s, struct errmsg *msg)
{
	struct buf out = BUF_EMPTY;
	struct bytes value;
	char key[KEY_BYTES];
	enum err rc;

	setting_key(key, &w->replica, &w->space);
	wire_put_array(&out, 3);
	wire_put_uint(&out, w->first);
	wire_put_uint(&out, w->log_seq);
	wire_put_array(&out, (uint32_t)(RUN_ELEMENTS * w->count));
	for (size_t i = 0; i < w->count; i++) {
		wire_put_bin(&out, bytes_of(w->runs[i].to.bytes, ID_BYTES));
		wire_put_uint(&out, w->runs[i].first);
		wire_put_uint(&out, w->runs[i].last);
		wire_put_uint(&out, w->runs[i].to_first);
	}
	rc = buf_check(&out);
	value = buf_bytes(&out);
	if (rc == OK)
		rc = store_setting_put(s, key, &value, msg);
	buf_release(&out);
	return rc;
}

void rewritten_release(struct rewritten *w)
{
	free(w->runs);
	*w = (struct rewritten){ 0 };
}

void rewritten_see(struct rewritten *w, uint64_t seq)
{
	if (w->first == 0 || seq < w->first)
		w->first = seq;
}

enum err rewritten_note(struct rewritten *w, uint64_t seq, const struct dot *to)
{
	struct rewritten_run *last = w->count ? &w->runs[w->count - 1] : NULL;
	enum err rc;

	if (last && replica_id_cmp(&last->to, &to->replica) == 0 && seq == last->last + 1 &&
	    to->seq == last->to_first + (seq - last->first)) {
		last->last = seq;
		return OK;
	}
	rc = array_reserve(&w->runs, &w->cap, w->count + 1, sizeof(*w->runs));
	if (rc == OK)
		w->runs[w->count++] = (struct rewritten_run){ to->replica, seq, seq, to->seq };
	return rc;
}

bool rewritten_find(const struct rewritten *w, uint64_t seq, struct dot *out)
{
	for (size_t i = w->count; i-- > 0;) {
		const struct rewritten_run *run = &w->runs[i];

		if (run->first <= seq && seq <= run->last) {
			*out = (struct dot){ run->to, run->to_first + (seq - run->first) };
			return true;
		}
	}
	return false;
}

uint64_t rewritten_last(const struct rewritten *w, const struct replica_id *to)
{
	uint64_t last = 0;

	for (size_t i = 0; i < w->count; i++)
		if (replica_id_cmp(&w->runs[i].to, to) == 0 && w->runs[i].last > last)
			last = w->runs[i].last;
	return last;
}

static void merge_dot(struct dot *dots, size_t *count, const struct dot *dot)
{
	for (size_t i = 0; i < *count; i++)
		if (replica_id_cmp(&dots[i].replica, &dot->replica) == 0) {
			if (dots[i].seq < dot->seq)
				dots[i].seq = dot->seq;
			return;
		}
	dots[(*count)++] = *dot;
}

size_t rewritten_seen(const struct rewritten *w, uint64_t seq, struct dot *out)
{
	size_t count = 0;
	bool is_older = w->first == 0 || seq < w->first;

	if (is_older || w->first > 1)
		out[count++] = (struct dot){ w->replica, is_older ? seq : w->first - 1 };
	for (size_t i = 0; !is_older && i < w->count; i++) {
		const struct rewritten_run *run = &w->runs[i];
		uint64_t last = run->last < seq ? run->last : seq;

		if (run->first <= seq)
			merge_dot(out, &count,
				  &(struct dot){ run->to, run->to_first + last - run->first });
	}
	return count;
}
