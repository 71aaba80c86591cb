/* Preloaded: the program's wall clock goes wrong by $SHIFT_S seconds; its other
 * clocks go on as they are. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *out)
{
	const char *shift = getenv("SHIFT_S");
	int failed = (int)syscall(SYS_clock_gettime, id, out);

	if (!failed && id == CLOCK_REALTIME && shift)
		out->tv_sec += atol(shift);
	return failed;
}
