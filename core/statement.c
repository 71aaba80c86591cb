#include "core/statement.h"

bool office_code_is_valid(const char *code)
{
	size_t size = strlen(code);

	return size >= 2 && size <= OFFICE_CODE_MAX &&
	       strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == size;
}
