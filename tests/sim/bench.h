/* The figure `sim_applies`: changeset applications a second and core. */
#ifndef HT_TESTS_SIM_BENCH_H
#define HT_TESTS_SIM_BENCH_H

#include <stdbool.h>

/* So many offices make so many edits apart, then meet: how many changesets a
 * second of CPU time are taken over until all hold everything. False, with the
 * reason on stderr, when they never do. */
bool sim_measure(unsigned nodes, unsigned edits, double *per_second);

/* Print the median of a few runs. An exit status. */
int sim_bench(bool is_json);

#endif
