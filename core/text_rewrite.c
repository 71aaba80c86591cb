#include "core/text_rewrite.h"

#include "core/difference.h"
#include "core/text_diff.h"
#include "core/utf8.h"

static bool has_digit(struct bytes text)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] >= '0' && text.data[i] <= '9')
			return true;
	return false;
}

static struct bytes take(struct bytes *rest, uint32_t count)
{
	const uint8_t *start = rest->data;

	while (count--) {
		size_t size = utf8_size(*rest->data);

		*rest = bytes_of(rest->data + size, rest->size - size);
	}
	return bytes_of(start, (size_t)(rest->data - start));
}

/* One place of it was changed by adding or taking away, or two thirds of the longer one are in
 * both. */
static bool is_alike(const struct text_edit *e, size_t gone, size_t come)
{
	size_t kept = gone;

	for (size_t i = 0; i < e->run_count; i++)
		kept -= e->runs[i].step == TEXT_INSERT ? 0 : e->runs[i].count;
	return e->run_count == 1 || 3 * kept >= 2 * (gone > come ? gone : come);
}

static enum err replay(const struct text_edit *e, uint32_t at, struct text_edit_builder *out)
{
	struct bytes text = e->text;
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < e->run_count; i++) {
		const struct text_run *run = &e->runs[i];

		if (run->step == TEXT_INSERT)
			rc = text_edit_insert(out, at + run->pos, take(&text, run->count),
					      run->count);
		else
			rc = text_edit_delete(out, at + run->pos, run->count);
	}
	return rc;
}

/* at: where it is in the text as it is by then. */
static enum err replace(const struct difference_part *p, uint32_t at, struct text_edit_builder *out)
{
	size_t gone = utf8_count(p->gone), come = utf8_count(p->come);
	struct text_edit_builder within = { 0 };
	struct text_edit made;
	enum err rc = OK;

	if (gone && come && !has_digit(p->gone)) {
		text_edit_begin(&within, (uint32_t)gone);
		rc = text_diff(p->gone, p->come, &within);
	}
	made = text_edit_built(&within);
	if (rc == OK && made.run_count && is_alike(&made, gone, come)) {
		rc = replay(&made, at, out);
	} else if (rc == OK) {
		rc = text_edit_delete(out, at, (uint32_t)gone);
		if (rc == OK)
			rc = text_edit_insert(out, at, p->come, (uint32_t)come);
	}
	text_edit_release(&within);
	return rc;
}

enum err text_rewrite(struct bytes from, struct bytes to, struct text_edit_builder *out)
{
	struct difference d = DIFFERENCE_EMPTY;
	int64_t shift = 0;
	enum err rc = difference_make(&d, from, to, segment_word);

	difference_tidy(&d);
	for (size_t i = 0; rc == OK && i < d.count; i++) {
		const struct difference_part *p = &d.list[i];

		rc = replace(p, (uint32_t)((int64_t)p->at + shift), out);
		shift += (int64_t)utf8_count(p->come) - (int64_t)utf8_count(p->gone);
	}
	difference_release(&d);
	return rc;
}
