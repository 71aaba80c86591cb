#include "node/duration.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

bool duration_parse(const char *text, uint64_t *out_s)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t digits = strspn(text, "0123456789");
	unsigned long n = strtoul(text, NULL, 10);

	if (strcmp(text, "0") == 0) {
		*out_s = 0;
		return true;
	}
	for (size_t i = 0; digits && i < sizeof(units) / sizeof(units[0]); i++)
		if (text[digits] == units[i].unit && !text[digits + 1] &&
		    n <= DURATION_S_MAX / units[i].seconds) {
			*out_s = n * units[i].seconds;
			return true;
		}
	return false;
}
