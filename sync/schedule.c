#include "sync/schedule.h"

void schedule_init(struct schedule *s, uint64_t now_ms)
{
	*s = (struct schedule){ .next_ms = now_ms };
}

void schedule_succeeded(struct schedule *s)
{
	s->lost_count = 0;
	s->refused_count = 0;
}

/* min_ms doubled `count` times up to max_ms, ± 50 %. */
static uint64_t delay_ms(uint64_t min_ms, uint64_t max_ms, unsigned count, const struct dice *dice)
{
	uint64_t mean = min_ms;

	while (count-- > 0 && mean < max_ms)
		mean *= 2;
	if (mean > max_ms)
		mean = max_ms;
	return mean / 2 + dice_below(dice, mean + 1);
}

void schedule_lost(struct schedule *s, uint64_t now_ms, const struct dice *dice)
{
	s->next_ms = now_ms + delay_ms(RETRY_MS_MIN, RETRY_MS_MAX, s->lost_count, dice);
	s->lost_count++;
}

void schedule_refused(struct schedule *s, uint64_t now_ms, const struct dice *dice)
{
	s->next_ms = now_ms + delay_ms(REFUSED_MS_MIN, REFUSED_MS_MAX, s->refused_count, dice);
	s->refused_count++;
}

void schedule_hurry(struct schedule *s, uint64_t now_ms)
{
	if (s->next_ms > now_ms)
		s->next_ms = now_ms;
}
