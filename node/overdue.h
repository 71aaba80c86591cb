/* Whether an action item is late. Derived, never stored. */
#ifndef HT_NODE_OVERDUE_H
#define HT_NODE_OVERDUE_H

#include "core/schema.h"
#include "node/due.h"

/* `due` is a wall time or nil, `state` a step. True, with how late, when the
 * due has passed and the item is neither done nor cancelled. */
bool overdue_of(const struct when_reader *reader, const struct value *due,
		const struct value *state, struct due *out);

#endif
