/* Two offices in step while a crowd of strangers stands before the one that listens:
 * what a change takes to arrive, and what the crowd costs. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/measure.h"
#include "tests/bench/pair.h"
#include "tests/support/strangers.h"

enum {
	CROWD = 1000,
	BACK_MS = 1000, /* each comes back a second after it was sent away */
	SETTLE_MS = 1500,
	WARM_UP = 5,
	SAMPLES_A_RUN = 100,
	WAIT_MS = 5,
};

struct door {
	struct bench *b;
	struct pair pair;
	struct samples disturbed, calm; /* ms */
	struct samples rates;           /* of strangers */
	size_t before_kib, worst_kib;
};

static void rest(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

static void sample(struct door *d, struct samples *out)
{
	for (unsigned i = 0; i < WARM_UP + SAMPLES_A_RUN; i++) {
		struct pair_times times = pair_edit(&d->pair, 1);

		if (i >= WARM_UP)
			samples_add(out, (double)(times.held_ns - times.begun_ns) / 1e6);
		rest(WAIT_MS);
	}
}

static void sample_with_crowd(struct door *d)
{
	const char *port = strchr(d->pair.address, ':') + 1;
	const char *argv[] = { "strangers", port, NULL };
	char text[PROCESS_LINE_MAX];
	struct process crowd;
	size_t kib;

	process_start(&crowd, argv);
	rest(SETTLE_MS);
	sample(d, &d->disturbed);
	kib = pair_listener_memory(&d->pair).now_kib;
	d->worst_kib = kib > d->worst_kib ? kib : d->worst_kib;
	process_tell(&crowd, "rate");
	process_hear(&crowd, "rate", text);
	samples_add(&d->rates, strtod(text, NULL));
	process_end(&crowd);
	rest(SETTLE_MS);
}

static void report(struct door *d)
{
	bench_report_one(d->b, "stranger_p50", samples_percentile(&d->disturbed, 50),
			 samples_percentile(&d->calm, 50));
	bench_report_one(d->b, "stranger_p99", samples_percentile(&d->disturbed, 99),
			 samples_percentile(&d->calm, 99));
	bench_report_one(d->b, "stranger_rss", (double)d->worst_kib / 1024,
			 (double)d->before_kib / 1024);
	bench_report(d->b, "stranger_rate", &d->rates, NULL);
}

void measure_strangers(struct bench *b)
{
	struct door d = { .b = b };

	pair_prepare(b, BATCH);
	pair_listen(&d.pair, b, BATCH);
	pair_join(&d.pair, b);
	pair_catch_up(&d.pair);
	for (unsigned run = 0; run < b->runs; run++) {
		sample(&d, &d.calm);
		if (!d.before_kib)
			d.before_kib = pair_listener_memory(&d.pair).now_kib;
		sample_with_crowd(&d);
	}
	report(&d);
	pair_leave(&d.pair);
	pair_end(&d.pair);
	samples_release(&d.disturbed);
	samples_release(&d.calm);
	samples_release(&d.rates);
}

/* The crowd in a process of its own, until the end of its input; says how many
 * connections a second it opened when asked. */
int serve_strangers(int argc, char **argv)
{
	struct strangers_config config = { .count = CROWD, .back_ms = BACK_MS, .seed = 1 };
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	uint64_t start = clock_ns();
	struct strangers *s;
	char line[16];

	if (argc != 2)
		bench_fail("strangers PORT");
	config.port = (uint16_t)strtoul(argv[1], NULL, 10);
	setvbuf(stdout, NULL, _IOLBF, 0);
	s = strangers_new(&config);
	while (poll(&input, 1, 0) == 0 || read(STDIN_FILENO, line, sizeof(line)) > 0) {
		if (input.revents)
			printf("rate %.0f\n",
			       (double)strangers_tally(s).opened / seconds_since(start));
		strangers_turn(s, 5);
	}
	strangers_free(s);
	return 0;
}
