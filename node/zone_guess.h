/* Names of time zones close to one that does not exist: typing errors ("Asia/Shangai"), a city
 * without its region ("berlin"), and large cities that no zone is named after ("北京"). */
#ifndef HT_NODE_ZONE_GUESS_H
#define HT_NODE_ZONE_GUESS_H

#include <stdbool.h>

#define ZONE_GUESS_BYTES 256

/* Up to three names of the database in `dir`, best first, as "A, B, C"; false if none is close. */
bool zone_guess(const char *dir, const char *wrong, char out[static ZONE_GUESS_BYTES]);

#endif
