/* The daemon's settings: any text is taken or refused, and a refused one changes
 * nothing. */
#include "node/config.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct errmsg msg;
	struct config c;
	enum err rc;

	config_init(&c);
	rc = config_parse(&c, bytes_of(data, size), &msg);
	require(!rc || (!c.listen[0] && !c.peer_count && !c.peers[0] && c.dial &&
			c.log_level == LOG_INFO));
	require(!c.peers[c.peer_count]);
	config_release(&c);
	return 0;
}
