/* One record, whole: for people and for programs.
 *
 * The JSON of every kind has "type", "id", "space", "life" (live, void,
 * revived) and "conflict" (true: somebody must choose), then its fields under
 * the names of the schema. Sets are arrays, logs arrays of {"at", "author",
 * "value"}. An action item has "overdue" and "days_late", too. */
#ifndef HT_NODE_RECORD_VIEW_H
#define HT_NODE_RECORD_VIEW_H

#include <jansson.h>

#include "node/context.h"

/* The record with all its values, in the context's arena. */
MUST_CHECK enum err record_load(struct context *ctx, uint16_t kind, const struct record_id *id,
				struct record *out, struct space_id *space, struct errmsg *msg);

/* Stands among field numbers for whether the record is void. */
enum { RECORD_LIFE_FIELD = 0 };

/* The schema's name, "life" for RECORD_LIFE_FIELD. */
const char *record_field_name(const struct kind *kind, uint8_t number);

/* Numbers of the fields in conflict. Returns how many, at most `max`. */
size_t record_conflicts(const struct record *rec, uint8_t *fields, size_t max);

const char *record_life_name(enum record_life life);

/* Who edits a voided record brings it back for everybody: better on purpose. ERR_INVALID. */
MUST_CHECK enum err record_refuse_void(const struct record *rec, const char *name,
				       struct errmsg *msg);

/* The keys that all kinds have; NULL when out of memory. */
json_t *record_json_head(const struct kind *kind, const struct record_id *id,
			 const uint8_t space[ID_BYTES], enum record_life life, bool conflict);

/* Add what follows from the fields and from the time. */
MUST_CHECK enum err record_json_derive(struct context *ctx, const struct kind *kind, json_t *object,
				       struct errmsg *msg);

MUST_CHECK enum err record_json(struct context *ctx, uint16_t kind, const struct record_id *id,
				json_t **out, struct errmsg *msg);

/* "2026-11-30T09:00:00Z", for JSON. */
json_t *instant_json(uint64_t wall_ms);

/* All fields, a line each. */
MUST_CHECK enum err record_print(struct context *ctx, uint16_t kind, const struct record_id *id,
				 struct errmsg *msg);

/* What a command made or changed: one line, or with --json all of it. */
MUST_CHECK enum err record_echo(struct context *ctx, uint16_t kind, const struct record_id *id,
				struct errmsg *msg);

#endif
