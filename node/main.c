/* The one program: `huitong COMMAND`. */
#include <locale.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

#include "node/command.h"
#include "node/i18n.h"

#ifndef HUITONG_LOCALE_DIR
#define HUITONG_LOCALE_DIR "/usr/share/locale"
#endif

int main(int argc, char *argv[])
{
	setlocale(LC_ALL, "");
	bindtextdomain("huitong", HUITONG_LOCALE_DIR);
	bind_textdomain_codeset("huitong", "UTF-8");
	textdomain("huitong");
	umask(077); /* whatever we write is our owner's alone */
	if (sodium_init() < 0) {
		fprintf(stderr, "huitong: %s\n", _("the system gives no random numbers"));
		return EXIT_FAILED;
	}
	return command_main(argc, argv);
}
