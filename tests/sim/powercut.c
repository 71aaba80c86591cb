#include "tests/sim/powercut.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <time.h>

#include "tests/sim/drill.h"

enum {
	PIECES_MIN = 10, /* of work, in one drill */
	PIECES_MAX = 40,
	TWICE_PERCENT = 12, /* of cuts, after which somebody works on and is cut off again */
	END_PERCENT = 10,   /* of pieces of work, after which the process ends unwillingly */
};

struct powercut {
	const struct powercut_plan *plan;
	struct powercut_report *report;
	struct drill drill;
	struct prng dice;
	uint64_t at; /* changes of this drill's disk so far */
};

/* ---- Cuts ------------------------------------------------------------------------ */

static void note(struct powercut *p, enum finding finding, const char *why)
{
	struct powercut_report *r = p->report;

	r->lossy += finding == FOUND_LOSS;
	r->damaging += finding == FOUND_DAMAGE;
	if (finding != FOUND_WHOLE && !r->first.text[0])
		errmsg_set(&r->first, ERR_CORRUPT,
			   "drill %" PRIu64 ", cut before change %" PRIu64 ": %s",
			   p->plan->seed + r->drills, p->at, why);
}

static bool is_done(const struct powercut *p)
{
	return p->report->cuts == p->plan->cuts;
}

static void cut_copy(void *ctx)
{
	struct powercut *p = ctx;
	struct memdisk *copy;
	struct errmsg why = { 0 };
	enum finding finding;

	p->at++;
	if (is_done(p))
		return;
	p->report->cuts++;
	copy = memdisk_copy(p->drill.disk);
	memdisk_crash(copy, &p->dice);
	memdisk_on(copy);
	if (prng_chance(&p->dice, TWICE_PERCENT))
		finding = drill_inspect_twice(&p->drill, copy, &p->dice, &why);
	else
		finding = drill_inspect(&p->drill, copy, &why);
	note(p, finding, why.text);
	memdisk_free(copy);
}

/* The disk itself goes off, and the next process works on with what it finds. */
static bool end_and_go_on(struct powercut *p)
{
	struct drill *d = &p->drill;
	struct errmsg why = { 0 };
	enum finding finding = FOUND_WHOLE;

	if (prng_chance(&p->dice, 50))
		memdisk_crash(d->disk, &p->dice);
	else
		memdisk_kill(d->disk);
	office_close(&d->ours);
	memdisk_on(d->disk);
	if (drill_open(d, &why) != OK)
		finding = FOUND_DAMAGE;
	note(p, finding, why.text);
	return finding == FOUND_WHOLE;
}

/* ---- Controls -------------------------------------------------------------------- */

static int keep_synchronous(void *ctx, int action, const char *pragma, const char *value,
			    const char *schema, const char *trigger)
{
	bool is_synchronous =
		action == SQLITE_PRAGMA && sqlite3_stricmp(pragma, "synchronous") == 0;

	return is_synchronous ? SQLITE_IGNORE : SQLITE_OK;
}

/* Of every new connection: what the store asks for later is not heard. */
static int make_normal(sqlite3 *db, char **message, const struct sqlite3_api_routines *api)
{
	int result = sqlite3_exec(db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);

	return result == SQLITE_OK ? sqlite3_set_authorizer(db, keep_synchronous, NULL) : result;
}

static const struct {
	const char *name;
	bool is_normal, lies;
} disks[POWERCUT_DISK_COUNT] = {
	[POWERCUT_HONEST] = { "as it ships" },
	[POWERCUT_NORMAL] = { "synchronous=NORMAL", .is_normal = true },
	[POWERCUT_LYING] = { "a sync that lies", .lies = true },
};

/* ---- Drills ---------------------------------------------------------------------- */

static void work(struct powercut *p)
{
	uint64_t pieces = PIECES_MIN + prng_below(&p->dice, PIECES_MAX - PIECES_MIN + 1);
	struct errmsg why = { 0 };

	for (uint64_t i = 0; i < pieces && !is_done(p); i++) {
		/* On an honest disk nothing may go wrong at all. */
		if (drill_work(&p->drill, &why) != OK) {
			note(p, FOUND_DAMAGE, why.text);
			return;
		}
		if (prng_chance(&p->dice, END_PERCENT) && !end_and_go_on(p))
			return;
	}
}

static void play(struct powercut *p)
{
	uint64_t seed = p->plan->seed + p->report->drills;

	prng_init(&p->dice, ~seed);
	p->at = 0;
	drill_init(&p->drill, seed);
	memdisk_watch(p->drill.disk, cut_copy, p);
	drill_prepare(&p->drill);
	memdisk_lie(p->drill.disk, disks[p->plan->disk].lies);
	work(p);
	memdisk_watch(p->drill.disk, NULL, NULL);
	p->report->acknowledged += p->drill.acknowledged;
	drill_release(&p->drill);
	p->report->drills++;
}

void powercut_run(const struct powercut_plan *plan, struct powercut_report *out)
{
	struct powercut p = { .plan = plan, .report = out };
	void (*extension)(void) = (void (*)(void))make_normal;

	*out = (struct powercut_report){ 0 };
	if (disks[plan->disk].is_normal)
		sqlite3_auto_extension(extension);
	while (!is_done(&p))
		play(&p);
	if (disks[plan->disk].is_normal)
		sqlite3_cancel_auto_extension(extension);
}

/* ---- For people ------------------------------------------------------------------ */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print(const struct powercut_plan *plan, const struct powercut_report *r, double took)
{
	printf("%-18s  %8" PRIu64 " cuts in %" PRIu64 " drills, %" PRIu64
	       " changesets acknowledged: %" PRIu64 " cuts lost some, %" PRIu64
	       " damaged the replica (%.0f s)\n",
	       disks[plan->disk].name, r->cuts, r->drills, r->acknowledged, r->lossy, r->damaging,
	       took);
	if (r->first.text[0])
		printf("%-18s  the first: %s\n", "", r->first.text);
	fflush(stdout);
}

bool powercut_tell(uint64_t seed, uint64_t cuts)
{
	bool holds = true;

	for (enum powercut_disk disk = 0; disk < POWERCUT_DISK_COUNT; disk++) {
		bool is_control = disk != POWERCUT_HONEST;
		struct powercut_plan plan = { disk, seed, is_control ? cuts / 10 : cuts };
		struct powercut_report report;
		double start = seconds();

		powercut_run(&plan, &report);
		print(&plan, &report, seconds() - start);
		if (is_control != (report.lossy + report.damaging > 0))
			holds = false;
	}
	return holds;
}
