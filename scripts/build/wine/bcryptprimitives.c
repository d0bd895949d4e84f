/*
 * Stands in for a DLL of Windows that wine before 9 does not have, with the one function Bun takes from it:
 * fill a buffer with random bytes. RtlGenRandom, exported as SystemFunction036, takes sizes of 32 bits.
 */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG size);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T size) {
  const SIZE_T most = 1 << 20;
  while (size > 0) {
    const ULONG now = (ULONG)(size < most ? size : most);
    if (!SystemFunction036(buffer, now)) return FALSE;
    buffer += now;
    size -= now;
  }
  return TRUE;
}
