/* Two offices at work, whose processes are killed at random instants.
 *
 *     killer [--kills N] [--seed N] PROGRAM PORT FOLDER FOLDER
 *
 * In the first folder two writers and a daemon that listens on PORT are at work, in
 * the second a writer and a daemon that dials it. Each process lives for a random
 * while, is killed with SIGKILL and started again. Writers tell of each edit once
 * it is acknowledged, through a pipe; who can't open its replica ends the run.
 *
 * Ten times on the way and at the end everything is killed at once. Then both
 * replicas must open, verify, hold what was acknowledged in their office and all
 * that they held before; at the end, when the daemons have made both equal, each
 * must hold what was acknowledged anywhere, and no number was issued twice.
 *
 * Prints its figures. Exit status: 0 all held, 1 something did not, 2 wrong
 * arguments. The folders have one collaboration, in which both take part. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "node/context.h"
#include "node/control.h"
#include "tests/support/prng.h"

enum {
	OFFICES = 2,
	PROCESSES = 5,
	CHECKS = 10,
	WRITER_LIFE_US_MAX = 40000,
	DAEMON_LIFE_US_MAX = 400000,
	EDIT_PAUSE_US_MAX = 1500,
	CONVERGE_S_MAX = 300,
	TITLE_BYTES = 48,
};

/* What a writer tells: it has opened, after so long; or an edit was acknowledged. */
struct note {
	uint32_t process;
	uint32_t life; /* which one, of this process */
	uint32_t edit; /* 0: opened */
	uint32_t open_us;
};

struct process {
	unsigned office;
	bool is_daemon;
	pid_t pid; /* 0: none */
	uint32_t life;
	uint64_t dies_us;
};

struct office {
	struct folder folder;
	struct identity identity;
	struct space_id space;
	uint64_t changesets; /* at the last look */
};

struct killer {
	const char *program, *port;
	uint64_t kills, kills_max;
	struct prng prng;
	struct office offices[OFFICES];
	struct process processes[PROCESSES];
	int notes[2]; /* a pipe, from all writers */
	struct note *acked;
	size_t acked_count, acked_cap;
	uint64_t opened, open_us_max;
	uint64_t killed_daemons;
	uint64_t slowness; /* of the machine: lives are so many times as long */
	size_t crossed;    /* edits that had arrived in the second office at the last look */
	size_t waiting;    /* edits that had not arrived in the second office at the last look */
};

static void must(enum err rc, const struct errmsg *msg)
{
	if (rc == OK)
		return;
	fprintf(stderr, "killer: %s: %s\n", err_name(rc), msg->text);
	exit(1);
}

static void die(const char *what)
{
	fprintf(stderr, "killer: %s\n", what);
	exit(1);
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void title_of(const struct note *n, char out[TITLE_BYTES])
{
	snprintf(out, TITLE_BYTES, "%" PRIu32 ".%" PRIu32 ".%" PRIu32, n->process, n->life,
		 n->edit);
}

static enum err open_office(const struct office *o, struct replica **out, struct errmsg *msg)
{
	struct replica_config config = { .path = o->folder.database,
					 .sign_secret = o->identity.sign_secret,
					 .dice = system_dice(),
					 .now_ms = system_now_ms() };

	return replica_open(out, &config, msg);
}

/* ---- A writer, in a process of its own ------------------------------------------- */

static enum err write_action(struct replica *r, const struct office *o, const struct note *n,
			     struct errmsg *msg)
{
	char number[NUMBER_TEXT_MAX], title[TITLE_BYTES];
	time_t now = time(NULL);
	struct record_id id;
	struct edit *edit;
	struct value value;
	enum err rc =
		replica_number(r, KIND_ACTION, (unsigned)gmtime(&now)->tm_year + 1900, number, msg);

	if (rc == OK)
		rc = edit_open(&edit, r, &o->space, NULL, system_now_ms(), msg);
	if (rc != OK)
		return rc;
	title_of(n, title);
	id = edit_create(edit);
	value = value_str(number);
	rc = edit_set(edit, KIND_ACTION, &id, ACTION_NUMBER, &value, msg);
	value = value_str(title);
	if (rc == OK)
		rc = edit_set(edit, KIND_ACTION, &id, ACTION_TITLE, &value, msg);
	if (rc == OK)
		return edit_seal(edit, msg);
	edit_drop(edit);
	return rc;
}

static void tell(const struct killer *k, const struct note *n)
{
	/* Whole or not at all: shorter than PIPE_BUF. */
	if (write(k->notes[1], n, sizeof(*n)) != sizeof(*n))
		exit(1);
}

/* The lock may be with others for as long as they like: many want it, and a disk may be slow. */
static void write_until_killed(const struct killer *k, const struct process *p)
{
	const struct office *o = &k->offices[p->office];
	struct note note = { .process = (uint32_t)(p - k->processes), .life = p->life };
	uint64_t began = now_us();
	struct errmsg msg = { 0 };
	struct replica *r;
	struct prng prng;
	enum err rc;

	prng_init(&prng, began ^ (uint64_t)getpid());
	while ((rc = open_office(o, &r, &msg)) == ERR_BUSY)
		continue;
	must(rc, &msg);
	note.open_us = (uint32_t)(now_us() - began);
	tell(k, &note);
	for (;;) {
		note.edit++;
		rc = replica_begin(r, &msg);
		if (rc == ERR_BUSY)
			continue;
		must(rc, &msg);
		must(write_action(r, o, &note, &msg), &msg);
		must(replica_commit(r, &msg), &msg);
		tell(k, &note);
		control_nudge(o->folder.path);
		usleep((useconds_t)prng_below(&prng, EDIT_PAUSE_US_MAX));
	}
}

/* ---- Processes ------------------------------------------------------------------- */

static void serve(const struct killer *k, const struct process *p)
{
	char listen[32];
	int null = open("/dev/null", O_RDWR);

	snprintf(listen, sizeof(listen), "127.0.0.1:%s", k->port);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	execl(k->program, k->program, "serve", "--replica", k->offices[p->office].folder.path,
	      "--log-level", "error", "--listen", p->office == 0 ? listen : "none", NULL);
	perror(k->program);
	exit(1);
}

static void start(struct killer *k, struct process *p)
{
	uint64_t life_us = p->is_daemon ? DAEMON_LIFE_US_MAX : WRITER_LIFE_US_MAX;

	p->life++;
	p->dies_us = now_us() + prng_below(&k->prng, life_us * k->slowness);
	p->pid = fork();
	if (p->pid < 0)
		die("fork failed");
	if (p->pid > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (p->is_daemon)
		serve(k, p);
	else
		write_until_killed(k, p);
}

/* Also tells whether it had ended by itself, which nothing should. */
static void kill_one(struct killer *k, struct process *p)
{
	int status;

	kill(p->pid, SIGKILL);
	if (waitpid(p->pid, &status, 0) != p->pid)
		die("waitpid failed");
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
		fprintf(stderr, "killer: process %td ended by itself with status %d\n",
			p - k->processes, status);
		exit(1);
	}
	p->pid = 0;
	k->kills++;
	k->killed_daemons += p->is_daemon;
}

static void take_note(struct killer *k, const struct note *n)
{
	if (n->edit == 0) {
		k->opened++;
		if (n->open_us > k->open_us_max)
			k->open_us_max = n->open_us;
		return;
	}
	if (k->acked_count == k->acked_cap) {
		k->acked_cap = k->acked_cap ? 2 * k->acked_cap : 4096;
		k->acked = realloc(k->acked, k->acked_cap * sizeof(*k->acked));
		if (!k->acked)
			die("out of memory");
	}
	k->acked[k->acked_count++] = *n;
}

static void take_notes(struct killer *k)
{
	struct note note;
	ssize_t size;

	while ((size = read(k->notes[0], &note, sizeof(note))) == sizeof(note))
		take_note(k, &note);
	if (size >= 0 || errno != EAGAIN)
		die("a writer was cut off in the middle of a word");
}

static void wait_until(struct killer *k, uint64_t end_us)
{
	struct pollfd poll_fd = { .fd = k->notes[0], .events = POLLIN };
	uint64_t at;

	while ((at = now_us()) < end_us) {
		struct timespec left = { .tv_nsec = (long)((end_us - at) * 1000 % 1000000000),
					 .tv_sec = (time_t)((end_us - at) / 1000000) };

		if (ppoll(&poll_fd, 1, &left, NULL) > 0)
			take_notes(k);
	}
}

static void kill_the_next(struct killer *k)
{
	struct process *next = &k->processes[0];

	for (int i = 1; i < PROCESSES; i++)
		if (k->processes[i].dies_us < next->dies_us)
			next = &k->processes[i];
	wait_until(k, next->dies_us);
	kill_one(k, next);
	start(k, next);
}

/* ---- Looking --------------------------------------------------------------------- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One column of all action items, sorted; the texts and the array are the caller's. */
static char **texts_of(struct replica *r, const char *sql, size_t *count)
{
	struct errmsg msg = { 0 };
	struct rows *rows;
	size_t cap = 0;
	char **texts = NULL;

	*count = 0;
	must(rows_open(&rows, r, sql, NULL, 0, &msg), &msg);
	while (rows_next(rows)) {
		if (*count == cap) {
			cap = cap ? 2 * cap : 4096;
			texts = realloc(texts, cap * sizeof(*texts));
			if (!texts)
				die("out of memory");
		}
		texts[(*count)++] = strdup(rows_text(rows, 0));
	}
	must(rows_close(rows, &msg), &msg);
	if (*count)
		qsort(texts, *count, sizeof(*texts), compare_texts);
	return texts;
}

static void drop_texts(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

/* How many of what was acknowledged in `by` this replica does not hold. */
static size_t count_missing(struct killer *k, unsigned by, struct replica *r)
{
	size_t count, missing = 0;
	char **titles = texts_of(r, "SELECT title FROM r_action_item", &count);

	for (size_t i = 0; i < k->acked_count; i++) {
		char title[TITLE_BYTES];
		const char *key = title;

		if (k->processes[k->acked[i].process].office != by)
			continue;
		title_of(&k->acked[i], title);
		missing += !count || !bsearch(&key, titles, count, sizeof(*titles), compare_texts);
	}
	drop_texts(titles, count);
	return missing;
}

static void must_hold_acked(struct killer *k, unsigned office, struct replica *r, bool of_all)
{
	for (unsigned by = 0; by < OFFICES; by++) {
		size_t missing = count_missing(k, by, r);

		if (by != office)
			k->waiting = missing;
		if (!missing || (by != office && !of_all))
			continue;
		fprintf(stderr, "killer: office %u lost %zu edits acknowledged in office %u\n",
			office, missing, by);
		exit(1);
	}
}

static size_t count_acked(const struct killer *k, unsigned by)
{
	size_t count = 0;

	for (size_t i = 0; i < k->acked_count; i++)
		count += k->processes[k->acked[i].process].office == by;
	return count;
}

static void must_have_unique_numbers(struct replica *r)
{
	size_t count;
	char **numbers = texts_of(r, "SELECT number FROM r_action_item", &count);

	for (size_t i = 1; i < count; i++)
		if (strcmp(numbers[i - 1], numbers[i]) == 0)
			die("a number was issued twice");
	drop_texts(numbers, count);
}

static void look_at(struct killer *k, unsigned office, bool at_end)
{
	struct office *o = &k->offices[office];
	struct verify_report report;
	struct replica_stats stats;
	struct errmsg msg = { 0 };
	struct replica *r;

	must(open_office(o, &r, &msg), &msg);
	must(replica_stats(r, &stats, &msg), &msg);
	if (stats.changesets < o->changesets)
		die("a replica holds less than before");
	o->changesets = stats.changesets;
	must_hold_acked(k, office, r, at_end);
	must_have_unique_numbers(r);
	must(replica_verify(r, &report, NULL, NULL, &msg), &msg);
	replica_close(r);
}

static void look(struct killer *k, bool at_end)
{
	for (int i = 0; i < PROCESSES; i++)
		if (k->processes[i].pid)
			kill_one(k, &k->processes[i]);
	take_notes(k);
	for (unsigned i = 0; i < OFFICES; i++)
		look_at(k, i, at_end);
	if (at_end)
		return;
	k->crossed = count_acked(k, 0) - k->waiting;
	if (k->crossed == 0)
		k->slowness *= 2;
}

static void start_all(struct killer *k, bool only_daemons)
{
	for (int i = 0; i < PROCESSES; i++)
		if (k->processes[i].is_daemon || !only_daemons)
			start(k, &k->processes[i]);
}

static bool have_converged(struct killer *k)
{
	uint8_t hashes[OFFICES][STATE_HASH_BYTES];

	for (int i = 0; i < OFFICES; i++) {
		struct errmsg msg = { 0 };
		struct replica *r;

		must(open_office(&k->offices[i], &r, &msg), &msg);
		must(replica_state_hash(r, hashes[i], &msg), &msg);
		replica_close(r);
	}
	return memcmp(hashes[0], hashes[1], STATE_HASH_BYTES) == 0;
}

static void converge(struct killer *k)
{
	uint64_t end_us = now_us() + (uint64_t)CONVERGE_S_MAX * 1000000;

	start_all(k, true);
	while (!have_converged(k)) {
		if (now_us() > end_us)
			die("the offices don't become equal");
		usleep(200000);
	}
}

/* ---- The run --------------------------------------------------------------------- */

static void find_office(struct office *o, const char *path)
{
	struct errmsg msg = { 0 };
	struct replica *r;
	size_t count;

	must(folder_locate(&o->folder, path, &msg), &msg);
	must(identity_load(&o->identity, o->folder.identity, &msg), &msg);
	must(open_office(o, &r, &msg), &msg);
	o->space = replica_spaces(r, &count)[1];
	if (count != 2)
		die("not one collaboration");
	replica_close(r);
}

static void run(struct killer *k)
{
	static const struct process casting[PROCESSES] = {
		{ .office = 0 },
		{ .office = 0 },
		{ .office = 1 },
		{ .office = 0, .is_daemon = true },
		{ .office = 1, .is_daemon = true },
	};
	uint64_t every = k->kills_max / CHECKS + 1, next_look = every;

	memcpy(k->processes, casting, sizeof(casting));
	start_all(k, false);
	while (k->kills < k->kills_max) {
		kill_the_next(k);
		if (k->kills < next_look)
			continue;
		next_look += every;
		look(k, false);
		start_all(k, false);
	}
	look(k, false);
	if (k->crossed == 0)
		die("nothing was synced while processes were killed: the test has become too easy");
	converge(k);
	look(k, true);
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (*end || end == text) {
		fprintf(stderr, "killer: %s is not a number\n", text);
		exit(2);
	}
	return value;
}

static const struct option options[] = {
	{ "kills", required_argument, NULL, 'k' },
	{ "seed", required_argument, NULL, 's' },
	{ 0 },
};

int main(int argc, char *argv[])
{
	struct killer k = { .kills_max = 300, .slowness = 1 };
	uint64_t seed = 1, began = now_us();
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'k')
			k.kills_max = number(optarg);
		else if (option == 's')
			seed = number(optarg);
		else
			return 2;
	}
	if (argc - optind != 4 || sodium_init() < 0 || pipe2(k.notes, O_CLOEXEC) != 0) {
		fputs("usage: killer [--kills N] [--seed N] PROGRAM PORT FOLDER FOLDER\n", stderr);
		return 2;
	}
	fcntl(k.notes[0], F_SETFL, O_NONBLOCK);
	prng_init(&k.prng, seed);
	k.program = argv[optind];
	k.port = argv[optind + 1];
	for (int i = 0; i < OFFICES; i++)
		find_office(&k.offices[i], argv[optind + 2 + i]);
	run(&k);
	printf("seed %" PRIu64 ": %" PRIu64 " kills (%" PRIu64 " of daemons) in %.0f s, %" PRIu64
	       " openings by writers (the longest %.1f ms), %zu acknowledged edits, 0 lost; "
	       "%zu of %zu had crossed before the killing ended\n",
	       seed, k.kills, k.killed_daemons, (double)(now_us() - began) / 1e6, k.opened,
	       (double)k.open_us_max / 1e3, k.acked_count, k.crossed, count_acked(&k, 0));
	for (int i = 0; i < OFFICES; i++)
		identity_clear(&k.offices[i].identity);
	free(k.acked);
	return 0;
}
