/**
 * Follows the blocks from genesis on: who the members are, which committees were drawn, and the
 * credit and reward of each storage node. It opens no connection.
 */
package bss.chain;
