/* Both sides of a handshake on one core, and the arithmetic that it can't do without. */
#include <sodium.h>
#include <time.h>

#include "sync/link.h"
#include "tests/bench/host.h"
#include "tests/bench/measure.h"

enum { SAMPLES_A_RUN = 10, HANDSHAKES_A_SAMPLE = 100 };

struct side {
	struct noise_keypair key;
	struct dice dice;
	struct link link;
};

static void side_init(struct side *s, uint8_t number)
{
	uint8_t secret[NOISE_DH_BYTES];

	memset(secret, number, sizeof(secret));
	noise_keypair_from_secret(&s->key, secret);
	s->dice = host_dice();
}

static void side_start(struct side *s, bool is_dialler)
{
	static const uint8_t org[ORG_ID_BYTES] = { 1 };
	struct link_config config = { .is_dialler = is_dialler,
				      .org = org,
				      .static_key = &s->key,
				      .dice = &s->dice,
				      .purpose = PREAMBLE_SYNC };
	struct errmsg msg = { 0 };

	must(link_init(&s->link, &config), &msg, "begin a handshake");
}

/* What one side has said reaches the other, which trusts whoever proves a key. */
static void deliver(struct side *from, struct side *to)
{
	struct bytes input = buf_bytes(&from->link.out), message;
	struct errmsg msg = { 0 };
	enum link_event event;

	must(link_read(&to->link, &input, &event, &message, &msg), &msg, "a handshake");
	if (event == LINK_KEY)
		must(link_accept(&to->link), &msg, "a handshake");
	buf_clear(&from->link.out);
}

static void shake_hands(struct side *dialler, struct side *listener)
{
	side_start(dialler, true);
	side_start(listener, false);
	deliver(dialler, listener);
	deliver(listener, dialler);
	deliver(dialler, listener);
	if (!link_is_open(&dialler->link) || !link_is_open(&listener->link))
		bench_fail("a handshake did not end");
	link_release(&dialler->link);
	link_release(&listener->link);
}

/* Of a core: what else runs on the machine does not count. */
static double core_seconds(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static double rate(double start)
{
	return HANDSHAKES_A_SAMPLE / (core_seconds() - start);
}

static double sample(struct side *dialler, struct side *listener)
{
	double start = core_seconds();

	for (unsigned i = 0; i < HANDSHAKES_A_SAMPLE; i++)
		shake_hands(dialler, listener);
	return rate(start);
}

/* Each side makes a key and multiplies three times: ee, es, se. */
static double raw_sample(const struct side *s)
{
	uint8_t out[crypto_scalarmult_BYTES];
	double start = core_seconds();

	for (unsigned i = 0; i < 2 * HANDSHAKES_A_SAMPLE; i++) {
		crypto_scalarmult_base(out, s->key.secret_key);
		for (unsigned j = 0; j < 3; j++)
			if (crypto_scalarmult(out, s->key.secret_key, s->key.public_key) != 0)
				bench_fail("a key of low order");
	}
	return rate(start);
}

void measure_handshake(struct bench *b)
{
	struct samples values = SAMPLES_EMPTY, floors = SAMPLES_EMPTY;
	struct side dialler, listener;

	side_init(&dialler, 1);
	side_init(&listener, 2);
	for (unsigned i = 0; i < b->runs * SAMPLES_A_RUN; i++) {
		samples_add(&values, sample(&dialler, &listener));
		samples_add(&floors, raw_sample(&dialler));
	}
	b->n = HANDSHAKES_A_SAMPLE;
	bench_report(b, "handshake", &values, &floors);
	samples_release(&values);
	samples_release(&floors);
}
