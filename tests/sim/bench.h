/* The figure `sim_applies`: changeset applications a second and core. */
#ifndef HT_TESTS_SIM_BENCH_H
#define HT_TESTS_SIM_BENCH_H

#include <stdbool.h>

/* Offices work apart, then meet; print how many changesets a second of CPU time
 * were taken over until all hold everything. An exit status. */
int sim_bench(bool is_json);

#endif
