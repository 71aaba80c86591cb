#include "tests/bench/pair.h"

#include <stdlib.h>

#include "tests/bench/host.h"

void pair_prepare(const struct bench *b, size_t batch)
{
	struct host sha;

	hosts_new(b, &sha);
	host_fill(&sha, b->rows, b->n, batch);
	host_close(&sha);
}

static void start_node(struct process *p, unsigned office, const char *path, const char *address)
{
	char number[12];
	const char *argv[] = { "node", number, path, address, NULL };

	snprintf(number, sizeof(number), "%u", office);
	process_start(p, argv);
}

void pair_listen(struct pair *p, const struct bench *b, size_t batch)
{
	char path[BENCH_PATH_MAX], port[PROCESS_LINE_MAX];

	start_node(&p->sha, OFFICE_SHA, bench_path(b, "sha.db", path), NULL);
	process_hear(&p->sha, "listening", port);
	snprintf(p->address, sizeof(p->address), "127.0.0.1:%.5s", port);
	p->changesets = (b->n + batch - 1) / batch;
}

void pair_end(struct pair *p)
{
	process_end(&p->sha);
}

void pair_join(struct pair *p, const struct bench *b)
{
	char empty[BENCH_PATH_MAX], path[BENCH_PATH_MAX];

	bench_remove(bench_path(b, "fra-now.db", path));
	bench_copy(bench_path(b, "fra.db", empty), path);
	start_node(&p->fra, OFFICE_FRA, path, p->address);
}

void pair_leave(struct pair *p)
{
	process_end(&p->fra);
}

/* Up to two numbers that a node says after `word`. */
static void hear_numbers(struct process *p, const char *word, uint64_t out[2])
{
	char text[PROCESS_LINE_MAX], *end;

	process_hear(p, word, text);
	out[0] = strtoull(text, &end, 10);
	out[1] = strtoull(end, NULL, 10);
}

static uint64_t hear_held(struct pair *p)
{
	uint64_t numbers[2];

	hear_numbers(&p->fra, "held", numbers);
	return numbers[0];
}

double pair_catch_up(struct pair *p)
{
	uint64_t dialled[2];

	process_tell(&p->fra, "dial");
	hear_numbers(&p->fra, "dialled", dialled);
	process_tell(&p->fra, "await %llu", (unsigned long long)p->changesets);
	return (double)(hear_held(p) - dialled[0]) / 1e9;
}

struct pair_times pair_edit(struct pair *p, size_t count)
{
	struct pair_times times;
	uint64_t edited[2];

	p->changesets += count;
	process_tell(&p->fra, "await %llu", (unsigned long long)p->changesets);
	process_tell(&p->sha, "edit %zu", count);
	hear_numbers(&p->sha, "edited", edited);
	times.begun_ns = edited[0];
	times.written_ns = edited[1];
	times.held_ns = hear_held(p);
	return times;
}

double pair_ask(struct pair *p)
{
	uint64_t answered[2];

	process_tell(&p->fra, "ask");
	hear_numbers(&p->fra, "answered", answered);
	return (double)(answered[1] - answered[0]) / 1e9;
}

uint64_t pair_traffic(struct pair *p)
{
	uint64_t bytes[2];

	process_tell(&p->fra, "traffic");
	hear_numbers(&p->fra, "traffic", bytes);
	return bytes[0] + bytes[1];
}

static struct pair_memory memory_of(struct process *p)
{
	uint64_t kib[2];

	process_tell(p, "memory");
	hear_numbers(p, "memory", kib);
	return (struct pair_memory){ .now_kib = kib[0], .peak_kib = kib[1] };
}

struct pair_memory pair_memory(struct pair *p)
{
	return memory_of(&p->fra);
}

struct pair_memory pair_listener_memory(struct pair *p)
{
	return memory_of(&p->sha);
}
