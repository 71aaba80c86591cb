#include "tests/support/spell.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire.h"

/* "5": so many bytes 05. */
static void put_fill(struct buf *out, const char *number, size_t size)
{
	uint8_t fill[64];

	memset(fill, (int)strtoul(number, NULL, 10), sizeof(fill));
	wire_put_bin(out, bytes_of(fill, size));
}

static void spell_token(struct buf *out, const char *token)
{
	const char *rest = token + 1;

	switch (token[0]) {
	case '[': wire_put_array(out, (uint32_t)strtoul(rest, NULL, 10)); break;
	case '\'': wire_put_str(out, bytes_of_str(rest)); break;
	case '~': wire_put_str(out, bytes_of(rest, strlen(rest) + 1)); break;
	case '^': wire_put_bin(out, bytes_of_str(rest)); break;
	case '#': put_fill(out, rest, 16); break;
	case '$': put_fill(out, rest, 32); break;
	case '%': put_fill(out, rest, 64); break;
	case 'T': wire_put_bool(out, true); break;
	case 'F': wire_put_bool(out, false); break;
	case '-': wire_put_nil(out); break;
	default: wire_put_uint(out, strtoull(token, NULL, 10)); break;
	}
}

struct buf spell(const char *text)
{
	char *copy = strdup(text), *rest = NULL;
	struct buf out = BUF_EMPTY;

	for (char *token = strtok_r(copy, " ", &rest); token; token = strtok_r(NULL, " ", &rest))
		spell_token(&out, token);
	free(copy);
	return out;
}
