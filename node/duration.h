/* How long something lasts, as people write it: "10s", "30m", "24h", "7d". */
#ifndef HT_NODE_DURATION_H
#define HT_NODE_DURATION_H

#include <stdbool.h>
#include <stdint.h>

enum { DURATION_S_MAX = 366 * 24 * 3600 };

/* "0" needs no unit. False: anything else, and what is over DURATION_S_MAX. */
bool duration_parse(const char *text, uint64_t *out_s);

#endif
