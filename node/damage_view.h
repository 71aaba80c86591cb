/* Damage for people and programs. */
#ifndef HT_NODE_DAMAGE_VIEW_H
#define HT_NODE_DAMAGE_VIEW_H

#include <jansson.h>

#include "core/scrub.h"

enum { DAMAGE_VIEW_BYTES = 320 };

/* "changeset 17 of replica 0193a5c7 in space 51515151" */
void damage_view(char out[DAMAGE_VIEW_BYTES], const struct damage *d);

/* What becomes of it; translated. */
const char *damage_prospect(const struct damage *d);

/* {"began_ms", "ended_ms", "at_work", "mended", "damage": [...], "more"}; NULL without memory. */
json_t *damage_view_json(const struct scrub_state *state);

#endif
