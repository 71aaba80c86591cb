/* The one program: `huitong COMMAND`. */
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

#include "node/command.h"
#include "node/i18n.h"

int main(int argc, char *argv[])
{
	i18n_init();
	umask(077); /* whatever we write is our owner's alone */
	if (sodium_init() < 0) {
		fprintf(stderr, "huitong: %s\n", _("the system gives no random numbers"));
		return EXIT_FAILED;
	}
	return command_main(argc, argv);
}
