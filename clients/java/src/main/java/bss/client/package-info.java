/** Submits records to a consortium, reads them, watches the blocks, and checks what comes back. */
package bss.client;
