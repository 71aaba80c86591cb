#include "core/text.h"

#include <libintl.h>

const char *text_lookup(const char *text)
{
	return dgettext(TEXT_DOMAIN, text);
}
