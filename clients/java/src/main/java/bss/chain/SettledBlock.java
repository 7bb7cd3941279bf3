package bss.chain;

import bss.verify.Hash;
import com.google.protobuf.ByteString;
import java.util.List;

/**
 * What the next block needs of the last one to settle it.
 *
 * @param eligible those from whom its committees were drawn
 */
record SettledBlock(
    long height,
    Hash id,
    Hash root,
    long treeSize,
    ByteString beacon,
    int leaves,
    List<String> eligible) {}
