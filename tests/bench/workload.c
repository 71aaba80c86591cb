#include "tests/bench/workload.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/prng.h"

enum { OWNERS = 24, ITEMS_A_MEETING = 10, ITEMS_A_TOPIC = 4 };

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* What is done to what, and what comes of it. Every sixth is German, two are Chinese. */
static const struct {
	const char *verb, *noun, *deliverable;
} tasks[] = {
	{ "Review", "supplier contract", "Signed contract" },
	{ "审核", "供应商合同", "签字合同" },
	{ "Update", "cutover plan", "Plan, version 2" },
	{ "准备", "月度例会材料", "演示文稿" },
	{ "Close", "audit findings", "Audit report" },
	{ "Prüfe", "Angebot der Spedition", "Freigabe" },
	{ "Send", "sample parts to the lab", "Test protocol" },
	{ "确认", "交付日期和数量", "确认函" },
	{ "Agree", "on test scope", "Test plan" },
	{ "完成", "系统上线检查表", "检查表" },
	{ "Fix", "label printing in the warehouse", "Release note" },
	{ "Melde", "Zollunterlagen nach", "Vollständige Akte" },
};

static const char *const zones[] = { "Asia/Shanghai", "Europe/Berlin", "America/New_York" };

static struct record_id make_id(uint64_t family, uint64_t i)
{
	struct prng dice;
	struct record_id id;

	prng_init(&dice, family << 32 | i);
	prng_fill(&dice, id.bytes, ID_BYTES);
	return id;
}

void workload_row(struct action_row *out, size_t i)
{
	struct prng dice;
	size_t task;

	prng_init(&dice, i);
	task = prng_below(&dice, ARRAY_SIZE(tasks));
	out->owner = make_id(1, prng_below(&dice, OWNERS));
	out->meeting = make_id(2, i / ITEMS_A_MEETING);
	out->topic = make_id(3, i / ITEMS_A_TOPIC);
	out->priority = (int)prng_below(&dice, 3);
	snprintf(out->number, sizeof(out->number), "AI-SHA-2026-%05zu", i);
	snprintf(out->title, sizeof(out->title), "%s %s %u", tasks[task].verb, tasks[task].noun,
		 (unsigned)prng_below(&dice, 1000));
	snprintf(out->due, sizeof(out->due), "2026-%02u-%02u[%s]",
		 1 + (unsigned)prng_below(&dice, 12), 1 + (unsigned)prng_below(&dice, 28),
		 zones[prng_below(&dice, ARRAY_SIZE(zones))]);
	snprintf(out->deliverable, sizeof(out->deliverable), "%s", tasks[task].deliverable);
}

struct action_row *workload_rows(size_t from, size_t count)
{
	struct action_row *rows = calloc(count, sizeof(*rows));

	assert(rows);
	for (size_t i = 0; i < count; i++)
		workload_row(&rows[i], from + i);
	return rows;
}

void workload_title(char *out, size_t size, size_t edit)
{
	const char *verb = tasks[edit % ARRAY_SIZE(tasks)].verb;
	const char *noun = tasks[edit / ARRAY_SIZE(tasks) % ARRAY_SIZE(tasks)].noun;

	snprintf(out, size, "%s %s (%zu)", verb, noun, edit);
}

size_t workload_bytes(const struct action_row *row)
{
	return 4 * ID_BYTES + strlen(row->number) + strlen(row->title) + strlen(row->due) +
	       strlen(row->deliverable) + 1;
}
