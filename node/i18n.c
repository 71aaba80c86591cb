#include "node/i18n.h"

#include <libgen.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LANGUAGE_MAX = 32, PLACE_MAX = 32 };

/* What the user asks for: "zh_CN" of "zh_CN.UTF-8". */
static void wanted(char out[LANGUAGE_MAX])
{
	static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
	const char *value = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !(value && *value); i++)
		value = getenv(names[i]);
	snprintf(out, LANGUAGE_MAX, "%.*s", value ? (int)strcspn(value, ".@") : 0,
		 value ? value : "");
}

/* A machine on which the user's locale was never generated has our catalogs all the same. */
static void choose_locale(void)
{
	char language[LANGUAGE_MAX];

	if (setlocale(LC_ALL, ""))
		return;
	setlocale(LC_ALL, "C.UTF-8");
	wanted(language);
	setenv("LANGUAGE", language, 0);
}

/* As built, or as installed. With the dot it must be a folder: in /usr/bin there is a program
 * of that name. */
static void find_catalogs(char out[PATH_MAX])
{
	static const char *const places[] = { "locale/.", "../share/locale/." };
	char program[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);
	const char *folder;

	program[size > 0 ? size : 0] = '\0';
	folder = dirname(program);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(out, PATH_MAX, "%.*s/%s", PATH_MAX - PLACE_MAX, folder, places[i]);
		if (access(out, F_OK) == 0)
			return;
	}
}

void i18n_speak_english(void)
{
	setlocale(LC_MESSAGES, "C");
}

void i18n_init(void)
{
	char folder[PATH_MAX];

	choose_locale();
	find_catalogs(folder);
	bindtextdomain(TEXT_DOMAIN, folder);
	bind_textdomain_codeset(TEXT_DOMAIN, "UTF-8");
	textdomain(TEXT_DOMAIN);
}
