/* A crowd of strangers at a node's door (tests/support/strangers.h):
 *
 *     strangers PORT COUNT [BACK-MS]
 *
 * until SIGTERM, or the end of the parent; then prints what they did. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "tests/support/strangers.h"

static volatile sig_atomic_t is_over;

static void on_signal(int number)
{
	is_over = 1;
}

int main(int argc, char **argv)
{
	struct strangers_config config = { .back_ms = 1000, .seed = 1 };
	struct strangers_tally tally;
	struct strangers *s;

	if (argc != 3 && argc != 4) {
		fputs("usage: strangers PORT COUNT [BACK-MS]\n", stderr);
		return 2;
	}
	config.port = (uint16_t)strtoul(argv[1], NULL, 10);
	config.count = strtoul(argv[2], NULL, 10);
	if (argc == 4)
		config.back_ms = (unsigned)strtoul(argv[3], NULL, 10);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGTERM, on_signal);
	s = strangers_new(&config);
	while (!is_over)
		strangers_turn(s, 10);
	tally = strangers_tally(s);
	printf("opened %" PRIu64 " closed %" PRIu64 " standing %zu sent %" PRIu64
	       " received %" PRIu64 "\n",
	       tally.opened, tally.closed, tally.standing, tally.bytes_sent, tally.bytes_received);
	strangers_free(s);
	return 0;
}
