/* Preloaded: the program's wall clock goes wrong by $SHIFT_S seconds, or by what
 * stands in the file $SHIFT_FILE at that moment; its other clocks go on as they are. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long shift_s(void)
{
	const char *path = getenv("SHIFT_FILE"), *shift = getenv("SHIFT_S");
	char text[24] = "";
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return shift ? atol(shift) : 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return atol(text);
}

int clock_gettime(clockid_t id, struct timespec *out)
{
	int failed = (int)syscall(SYS_clock_gettime, id, out);

	if (!failed && id == CLOCK_REALTIME)
		out->tv_sec += shift_s();
	return failed;
}
