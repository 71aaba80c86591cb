#include "core/text_patch.h"

#include <stdlib.h>

#include "core/array.h"

void text_patch_init(struct text_patch *p, enum rope_unit unit)
{
	*p = (struct text_patch){ .unit = unit };
}

void text_patch_release(struct text_patch *p)
{
	free(p->hunks);
	text_patch_init(p, p->unit);
}

/* ---- The hunk at hand ------------------------------------------------------ */

static uint32_t growth(const struct text_hunk *h)
{
	return h->come - h->gone;
}

/* Where it stands by now. */
static uint32_t place(const struct text_patch *p)
{
	return p->hunks[p->finger].at + p->shift;
}

static void next_hunk(struct text_patch *p)
{
	p->shift += growth(&p->hunks[p->finger++]);
}

/* Turn to the last hunk that begins at the position or before it; false: there is none. */
static bool turn_to(struct text_patch *p, uint32_t pos)
{
	if (p->count == 0)
		return false;
	while (p->finger > 0 && place(p) > pos)
		p->shift -= growth(&p->hunks[--p->finger]);
	if (place(p) > pos)
		return false;
	while (p->finger + 1 < p->count &&
	       p->hunks[p->finger + 1].at + p->shift + growth(&p->hunks[p->finger]) <= pos)
		next_hunk(p);
	return true;
}

/* A new one before that at the finger, which it becomes. */
static enum err add_hunk(struct text_patch *p, const struct text_hunk *h)
{
	if (array_reserve(&p->hunks, &p->cap, p->count + 1, sizeof(*p->hunks)))
		return ERR_NOMEM;
	memmove(p->hunks + p->finger + 1, p->hunks + p->finger,
		(p->count - p->finger) * sizeof(*p->hunks));
	p->hunks[p->finger] = *h;
	p->count++;
	return OK;
}

/* With the next one, if nothing that was there before stands between them any more. */
static void join_next(struct text_patch *p)
{
	struct text_hunk *h = &p->hunks[p->finger];

	if (p->finger + 1 == p->count || h->at + h->gone < h[1].at)
		return;
	h->gone += h[1].gone;
	h->gone_units += h[1].gone_units;
	h->come += h[1].come;
	p->count--;
	memmove(h + 1, h + 2, (p->count - p->finger - 1) * sizeof(*h));
}

/* ---- Changes --------------------------------------------------------------- */

enum err text_patch_insert(struct text_patch *p, uint32_t pos, uint32_t count)
{
	struct text_hunk fresh = { .come = count };

	if (turn_to(p, pos)) {
		if (pos <= place(p) + p->hunks[p->finger].come) {
			p->hunks[p->finger].come += count;
			return OK;
		}
		next_hunk(p);
	}
	fresh.at = pos - p->shift;
	return add_hunk(p, &fresh);
}

/* Of what stands at the position now, at most `count`: either all is new or all was there
 * before. from: where that is in `before`. */
static enum err remove_part(struct text_patch *p, const struct rope *before, uint32_t from,
			    uint32_t pos, uint32_t *count)
{
	bool is_after = turn_to(p, pos);
	struct text_hunk *h = is_after ? &p->hunks[p->finger] : NULL;
	uint32_t end = h ? place(p) + h->come : 0;
	struct text_hunk fresh = { 0 };

	if (h && pos < end) {
		if (*count > end - pos)
			*count = end - pos;
		h->come -= *count;
		return OK;
	}
	if (is_after && pos > end) {
		next_hunk(p);
		is_after = false;
	}
	if (!is_after) {
		fresh.at = pos - p->shift;
		if (add_hunk(p, &fresh))
			return ERR_NOMEM;
	}
	h = &p->hunks[p->finger];
	if (p->finger + 1 < p->count && *count > h[1].at - (h->at + h->gone))
		*count = h[1].at - (h->at + h->gone);
	h->gone += *count;
	h->gone_units += rope_measure(before, from, *count, p->unit);
	join_next(p);
	return OK;
}

enum err text_patch_remove(struct text_patch *p, const struct rope *before, uint32_t pos,
			   uint32_t count)
{
	enum err rc = OK;

	for (uint32_t done = 0, part; done < count && rc == OK; done += part) {
		part = count - done;
		rc = remove_part(p, before, pos + done, pos, &part);
	}
	return rc;
}
