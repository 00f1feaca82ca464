BEGIN TRANSACTION;
CREATE TABLE blob (sha256 TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "blob" VALUES('982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1',CAST('text' AS BLOB));
CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
INSERT INTO "checkpoint" VALUES(26,'example.org/book
26
iDO9J86nfg4brnbCzUwcj7wCnurko2kD8XTYUci+W3I=

— example.org/book hCqJULFWZ4C/q95cn+IfvLWORzHe/0d+u+YfMiBNb9H4vju05aanQek52eJkbjjohsLw7GxnBiVWYtL5YEPZwYn0pw0=
');
INSERT INTO "checkpoint" VALUES(27,'example.org/book
27
+OwKj3iEclQyXAfgsUqOmHvrqKyWOnyGwqsKNccESmI=

— example.org/book hCqJUB+7uvGgEsxphVhz54aUV0J7WZq9UNruxehdG/S2GsLjex+17NWBIypSq0gtgxY19rMzm5sPtY0zVlp3/ysbIAc=
');
INSERT INTO "checkpoint" VALUES(28,'example.org/book
28
9f1vbxkEuJRx2z+Lc2hLNXU5RSNjFs6Opq7qiFGyHoc=

— example.org/book hCqJUPDVb5B2lOn1z71FjKPYTuXUjMGG7wHacEGEkEV9ELV2/F+qVQcyHRAW6jDSlRLq+48PLTAtytKe8pLy9WJDLQs=
');
INSERT INTO "checkpoint" VALUES(29,'example.org/book
29
Zn1krpXUKguz4VAUNd3AHUMZ9eWEprgXAfmuX7Zh6p8=

— example.org/book hCqJUBskxCw/NNSoQQHkEbrnwbstZEVOEjOdvOuApzsKKamoQZ+/DeL5gqcj7cWvM0Nxqjykq5pWJatG0YmJ9zVlLAE=
');
INSERT INTO "checkpoint" VALUES(30,'example.org/book
30
dkDPkzVqci2icSXk5dgw9h+1mykQcQrf/4BjNN9uhXg=

— example.org/book hCqJUMigaA+wvucJgzDLJX4EXiO8p8V2DNJFDXDsCYbhsZCB63RRV0EC6AldzTXcJJ56MKv+LCRwViWti7muhkSUmA8=
');
CREATE TABLE fact (seq INTEGER PRIMARY KEY, leaf BLOB NOT NULL, id TEXT NOT NULL UNIQUE, data BLOB NOT NULL) STRICT;
INSERT INTO "fact" VALUES(0,X'720B2AC1C52EEDCE0545B3141F2F10E3902B0446DB4516BF14F55C963E4A0828','01a20251-f9a2-7cf9-b546-1a2af8dc08a6',CAST('{"at":"2026-11-22T08:14:16.482325Z","body":{"details_sha256":null,"form":"person","maker":"ada","people":1},"by":"test","id":"01a20251-f9a2-7cf9-b546-1a2af8dc08a6","kind":"enrol","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(1,X'633BC99AE2E11EC2704BD62DEF902B1EA1F5521D2B790A46745CCF75D44162E0','01a20251-f9a2-7c82-b58c-b786a3b1863a',CAST('{"at":"2026-11-22T08:14:16.482414Z","body":{"details_sha256":null,"form":"person","maker":"bo","people":1},"by":"test","id":"01a20251-f9a2-7c82-b58c-b786a3b1863a","kind":"enrol","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(2,X'006FD78DBC42323B83F34E4379B9FE7C2C03F6AD27A0EB86550851058DC16033','01a20251-f9a2-7e21-9f9f-28d93cb0ac6d',CAST('{"at":"2026-11-22T08:14:16.482425Z","body":{"details_sha256":null,"form":"person","maker":"cy","people":1},"by":"test","id":"01a20251-f9a2-7e21-9f9f-28d93cb0ac6d","kind":"enrol","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(3,X'77FA491A47F9E97F373EC755754AD41C05EE73D022993ADB2AC434268F4CC364','01a20251-f9a2-77b9-b0d3-9e060a21dcd7',CAST('{"at":"2026-11-22T08:14:16.482434Z","body":{"details_sha256":null,"form":"machine","maker":"desk","people":1},"by":"test","id":"01a20251-f9a2-77b9-b0d3-9e060a21dcd7","kind":"enrol","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(4,X'4F0B9A91F457FA38B9485CC158943C51840D3C05D75111A09E1970F131766F82','01a20251-f9a2-787a-9c05-16adf1ac92ec',CAST('{"at":"2026-11-22T08:14:16.482443Z","body":{"basis":"test","currency":"EUR","machines":[{"device":"cpu","uslh_per_hour":40000}],"melt_micro":40000000,"reductions":[{"den":1,"num":2,"skill":"x2"}],"standard":"s1"},"by":"test","id":"01a20251-f9a2-787a-9c05-16adf1ac92ec","kind":"standard","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(5,X'F373B9BA2A4CF9D8B1C286005E6ACE5082D6E5CB37D2DABD2D50B4BDBF0F0090','01a20251-f9a2-7e21-8cd2-1e1b47a34d17',CAST('{"at":"2026-11-22T08:14:16.482452Z","body":{"beta_ppm":500000,"coin_micro":10000,"currency":"EUR","grade":"settlement","negative":"clip","policy":"p1","pool_ppm":500000,"statement":"half-and-half","utility":"log-likelihood"},"by":"test","id":"01a20251-f9a2-7e21-8cd2-1e1b47a34d17","kind":"policy","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(6,X'FC28E1FA57E6AD8E15B2BB3ECF89A4EDA574AE6A79B9FC4B7740AFD83A4DFAAC','01a20251-f9a2-77be-88ae-6012d603c87f',CAST('{"at":"2026-11-22T08:14:16.482461Z","body":{"licence":"CC0-1.0","makers":[{"maker":"ada","ppm":1000000}],"media":"text/plain","part_of":null,"role":"data","sha256":"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1","size_bytes":4,"source":"test","work":"poem-1"},"by":"test","id":"01a20251-f9a2-77be-88ae-6012d603c87f","kind":"work","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(7,X'E8DCE000E9246F895554B72F2C0296C2F6D4A23EC5EB1C1641C8BF62D0355AD5','01a20251-f9a2-7958-8cec-40a2e7eb562f',CAST('{"at":"2026-11-22T08:14:16.482474Z","body":{"licence":"CC0-1.0","makers":[{"maker":"ada","ppm":400000},{"maker":"bo","ppm":600000}],"media":"text/plain","part_of":null,"role":"data","sha256":"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1","size_bytes":4,"source":"test","work":"poem-2"},"by":"test","id":"01a20251-f9a2-7958-8cec-40a2e7eb562f","kind":"work","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(8,X'D232D6A489EED3ED4EC33434B4E03B64549FFC0D04FB93BA838CB8DFA58D0DBE','01a20251-f9a2-7599-8ce2-572e5957f915',CAST('{"at":"2026-11-22T08:14:16.482483Z","body":{"licence":"CC0-1.0","makers":[],"media":"text/plain","part_of":null,"role":"data","sha256":"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1","size_bytes":4,"source":"test","work":"poem-3"},"by":"test","id":"01a20251-f9a2-7599-8ce2-572e5957f915","kind":"work","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(9,X'94667806912D4FE0D944DBBC938D4087BCE9935CB89C989B153D81BDFAA9527C','01a20251-f9a2-7122-bfc9-af72f98ceb83',CAST('{"at":"2026-11-22T08:14:16.482493Z","body":{"day":"2026-11-01","days":1,"evidence":"","labour_kind":1,"labour_us":7200000000,"maker":"ada","phase":"training","quality":"measured","skill":"simple","standing":"employed","work":"poem-1"},"by":"test","id":"01a20251-f9a2-7122-bfc9-af72f98ceb83","kind":"labour","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(10,X'6A36E77D19D88A164A8220E5D9DF56618D447A45C3D719C03332E401272522B0','01a20251-f9a2-72e7-a66a-6f1b3a8134a0',CAST('{"at":"2026-11-22T08:14:16.482500Z","body":{"day":"2026-11-01","days":1,"evidence":"","labour_kind":1,"labour_us":5400000000,"maker":"bo","phase":"training","quality":"measured","skill":"x2","standing":"crowd","work":"poem-2"},"by":"test","id":"01a20251-f9a2-72e7-a66a-6f1b3a8134a0","kind":"labour","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(11,X'9DB38E6A53EC1D3455133B8FB75E93E619AC2366120C9249D43F3CC3FE791A84','01a20251-f9a2-79c9-8aa5-0433457994fb',CAST('{"at":"2026-11-22T08:14:16.482509Z","body":{"dataset":"poems","licence":"CC0-1.0","root":"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1","works":["poem-1","poem-2","poem-3"]},"by":"test","id":"01a20251-f9a2-79c9-8aa5-0433457994fb","kind":"dataset","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(12,X'338907B0ED0371083B185500A4FCA350134F2F89BE0E18DE1316C56C7F89B685','01a20251-f9a2-7b34-a774-f2a45bed5cd9',CAST('{"at":"2026-11-22T08:14:16.482517Z","body":{"base":null,"format":"safetensors","licence":"Apache-2.0","model":"base","parameters":100,"sha256":"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1","source":"test"},"by":"test","id":"01a20251-f9a2-7b34-a774-f2a45bed5cd9","kind":"model","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(13,X'CCD562CA495B7ED6A98F117587F02B85E4D939306BE0942466F0BE0F7CF3C6F9','01a20251-f9a2-7f1a-a33e-40af34a6b62d',CAST('{"at":"2026-11-22T08:14:16.482526Z","body":{"reason":"","uses":10,"work":"base"},"by":"test","id":"01a20251-f9a2-7f1a-a33e-40af34a6b62d","kind":"plan","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(14,X'7D85CB7949EC133AC53F3F6D2EAD69245EBCFC82BC0A863302FE883F6749A09F','01a20251-f9a2-7e06-b5db-ab842a710052',CAST('{"at":"2026-11-22T08:14:16.482533Z","body":{"base":"base","format":"safetensors","licence":"CC0-1.0","model":"poet","parameters":10,"sha256":"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1","source":"test"},"by":"test","id":"01a20251-f9a2-7e06-b5db-ab842a710052","kind":"model","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(15,X'9D301EEF258A6EDF91471C3F918E99CC36B68423F4DE5F937BD79724520B9DD4','01a20251-f9a2-7b10-834f-41b85e5b99e3',CAST('{"at":"2026-11-22T08:14:16.482542Z","body":{"activity":"train","code_sha256":null,"config_sha256":null,"inputs":[{"role":"data","uses":1,"work":"poems"},{"role":"base","uses":1,"work":"base"}],"make":"tuning","notes":[],"outputs":["poet"],"record_sha256":null,"seed":7,"tool":"test"},"by":"test","id":"01a20251-f9a2-7b10-834f-41b85e5b99e3","kind":"make","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(16,X'1360050AE3E9BABE77B0801BD3EFE09EBE3DE1074EB067B016021D83460C7319','01a20251-f9a2-7ec8-9d5e-698bf9622f35',CAST('{"at":"2026-11-22T08:14:16.482551Z","body":{"device":"cpu","device_us":3600000000,"energy_mwh":15000,"energy_quality":"estimated","gflop":null,"machine":"desk","method":"","tokens":null,"work":"poet"},"by":"test","id":"01a20251-f9a2-7ec8-9d5e-698bf9622f35","kind":"compute","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(17,X'9BFF4E8484545E7B7CBF0C534E3B6D04ECACBAD5B4A640507EAF3F02E08C1DD3','01a20251-f9a2-7035-b2f2-6759de475782',CAST('{"at":"2026-11-22T08:14:16.482558Z","body":{"reason":"","uses":3,"work":"poet"},"by":"test","id":"01a20251-f9a2-7035-b2f2-6759de475782","kind":"plan","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(18,X'283143F14ADCCE0A26B2B177EB789858D3D5F01F6DCC710C18F5C3BA4B06656F','01a20251-f9a2-74ac-add7-1571dbd3ba1e',CAST('{"at":"2026-11-22T08:14:16.482566Z","body":{"licence":"CC0-1.0","makers":[{"maker":"cy","ppm":1000000}],"media":"text/plain","part_of":null,"role":"prompt","sha256":"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1","size_bytes":4,"source":"test","work":"prompt-1"},"by":"test","id":"01a20251-f9a2-74ac-add7-1571dbd3ba1e","kind":"work","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(19,X'3E826DC89388DD84D6B1DC03EE3E032FDE7CB39D4E386C52E3BD1FF271D63E6D','01a20251-f9a2-7725-a736-366846ca6970',CAST('{"at":"2026-11-22T08:14:16.482574Z","body":{"day":"2026-11-02","days":1,"evidence":"","labour_kind":1,"labour_us":40000000,"maker":"cy","phase":"inference","quality":"measured","skill":"simple","standing":"unpaid","work":"prompt-1"},"by":"test","id":"01a20251-f9a2-7725-a736-366846ca6970","kind":"labour","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(20,X'F3ADB3E8430F4A1816F163A8D857B0771A01A01C550950C32D69280736B46AF6','01a20251-f9a2-7b0b-82c6-ea19672a1c5d',CAST('{"at":"2026-11-22T08:14:16.482582Z","body":{"media":"text/plain","output":"song-1","quantity":1,"sha256":"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1","size_bytes":4},"by":"test","id":"01a20251-f9a2-7b0b-82c6-ea19672a1c5d","kind":"output","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(21,X'846D7BC70A63CAEB1327AAC5F8751C7F5C09438CDD21A03A4E6D9C17C4D0C50F','01a20251-f9a2-722a-9637-d16def92d859',CAST('{"at":"2026-11-22T08:14:16.482589Z","body":{"activity":"generate","code_sha256":null,"config_sha256":null,"inputs":[{"role":"model","uses":1,"work":"poet"},{"role":"prompt","uses":1,"work":"prompt-1"}],"make":"singing","notes":[],"outputs":["song-1"],"record_sha256":null,"seed":7,"tool":"test"},"by":"test","id":"01a20251-f9a2-722a-9637-d16def92d859","kind":"make","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(22,X'FF8555C3883C84F6B02FDD90D09FB33B8A0570DE97FF5F91BFC920424FC64765','01a20251-f9a2-7af9-92e7-94cfd4f27f7f',CAST('{"at":"2026-11-22T08:14:16.482596Z","body":{"effects":[{"effect_nnat":300,"work":"poem-1"},{"effect_nnat":-50,"work":"poem-2"}],"grade":"display","influence":"i1","method":"test","model":"poet","notes":[],"seed":7,"target":"song-1","utility":"log-likelihood"},"by":"test","id":"01a20251-f9a2-7af9-92e7-94cfd4f27f7f","kind":"influence","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(23,X'877F4870A5B4D43BAAF69001C1D08EF2AEA7C2993FF90E9B27A92E467ADEBF79','01a20251-f9a2-7705-81e2-c7efd73f0333',CAST('{"at":"2026-11-22T08:14:16.482603Z","body":{"effects":[{"effect_nnat":300,"work":"poem-1"},{"effect_nnat":200,"work":"poem-2"},{"effect_nnat":100,"work":"poem-3"}],"grade":"settlement","influence":"i2","method":"test","model":"poet","notes":[],"seed":7,"target":"period:2026-11:EUR","utility":"log-likelihood"},"by":"test","id":"01a20251-f9a2-7705-81e2-c7efd73f0333","kind":"influence","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(24,X'A3E166844F4B86F347E9567955BFFC30DF0F3C3BE3B1CC1CB3FBF755842E418D','01a20251-f9a2-7fc9-8709-1366251ca374',CAST('{"at":"2026-11-22T08:14:16.482611Z","body":{"exact":true,"method":"test","output":"song-1","output_end":4,"output_start":0,"work":"poem-2","work_end":4,"work_start":0},"by":"test","id":"01a20251-f9a2-7fc9-8709-1366251ca374","kind":"quote","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(25,X'37C73F13F8752B11B48C81C829EC10F54AF9EE654DB59D5CE202B9B5A1C85B09','01a20251-f9a2-7d3a-a076-5702873c3230',CAST('{"at":"2026-11-22T08:14:16.482619Z","body":{"buyer":"","currency":"EUR","day":"2026-11-03","output":"song-1","price_micro":10010000,"sale":"sale-1"},"by":"test","id":"01a20251-f9a2-7d3a-a076-5702873c3230","kind":"sale","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(26,X'BDC2F7A13E851A007B56A1EC5A4686812402F9B80F2438424D6ED9C3E6512243','01a20251-f9a9-7bd9-a8c1-6f736bd4d7e3',CAST('{"at":"2026-11-22T08:14:16.489957Z","body":{"carried_in_micro":0,"carried_out_micro":5000,"currency":"EUR","influence":"i2","lines":[{"amount_micro":2570000,"influence_micro":1580000,"labour_micro":990000,"maker":"ada"},{"amount_micro":1990000,"influence_micro":500000,"labour_micro":1490000,"maker":"bo"},{"amount_micro":20000,"influence_micro":0,"labour_micro":20000,"maker":"cy"}],"period":"2026-11","policy":"p1","pool_micro":5005000,"root":"8833bd27cea77e0e1bae76c2cd4c1c8fbc029eeae4a36903f174d851c8be5b72","sales_micro":10010000,"settlement":"settlement:EUR:2026-11","size":26,"standard":"s1","total_micro":5000000,"unidentified_micro":420000},"by":"test","id":"01a20251-f9a9-7bd9-a8c1-6f736bd4d7e3","kind":"settlement","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(27,X'41A7B3DF91A8ADEA957214FD4054E64DDAFF58364DC3F512B337133FBB128704','01a20251-f9ab-7e4b-8ec4-9f3540bc8008',CAST('{"at":"2026-11-22T08:14:16.491805Z","body":{"details_sha256":"0002c6eb5cb5e5dec2ee403c3de58788390e7ae82d8235a8ebdf8298ea1ba8fb","form":"person","maker":"dee","people":1},"by":"test","id":"01a20251-f9ab-7e4b-8ec4-9f3540bc8008","kind":"enrol","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(28,X'D5E0A71966F79F9F4F5FC9231F17FC1C5FB07C8F1858BF7ED09D28A204EBC6E8','01a20251-f9ad-71bb-9dcc-45a5add07de3',CAST('{"at":"2026-11-22T08:14:16.493950Z","body":{"amount_micro":1000000,"currency":"EUR","day":"2026-11-22","maker":"ada","method":"","payment":"payment:01a20251-f9ad-785c-b2cf-075273645e31"},"by":"test","id":"01a20251-f9ad-71bb-9dcc-45a5add07de3","kind":"payment","sample":false,"v":1}' AS BLOB));
INSERT INTO "fact" VALUES(29,X'54578CB10F80FE212FC7B91983F4C4BB075719C29AED6EF4B198685F994589A1','01a20251-f9b2-77bb-b927-de419df65af8',CAST('{"at":"2026-11-22T08:14:16.498229Z","body":{"details_sha256":null,"form":"person","maker":"eve","people":1},"by":"test","id":"01a20251-f9b2-77bb-b927-de419df65af8","kind":"enrol","sample":false,"v":1}' AS BLOB));
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "meta" VALUES('key','example.org/book+842a8950+AZK/LFSAVzBebjpzXsX+Z/M53ylnR9Y58UaS0tgoMacf');
INSERT INTO "meta" VALUES('origin','example.org/book');
INSERT INTO "meta" VALUES('schema','1');
CREATE TABLE node (level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE person (maker TEXT PRIMARY KEY, salt TEXT NOT NULL, details TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "person" VALUES('dee','f365f9adbdf1f59e4eef1dad02c77921','{"name": "Dee Doe"}');
CREATE TABLE posting (seq INTEGER NOT NULL, line INTEGER NOT NULL, account TEXT NOT NULL, unit TEXT NOT NULL, amount INTEGER NOT NULL, why TEXT NOT NULL, PRIMARY KEY (seq, line)) STRICT, WITHOUT ROWID;
INSERT INTO "posting" VALUES(9,0,'1100:data:poem-1','uslh',2000000,'labour of ada on poem-1');
INSERT INTO "posting" VALUES(9,1,'4000:living:1:ada','uslh',-2000000,'labour of ada on poem-1');
INSERT INTO "posting" VALUES(10,0,'1100:data:poem-2','uslh',3000000,'labour of bo on poem-2');
INSERT INTO "posting" VALUES(10,1,'4000:living:1:bo','uslh',-3000000,'labour of bo on poem-2');
INSERT INTO "posting" VALUES(11,0,'1100:dataset:poems','uslh',5000000,'gathered into poems');
INSERT INTO "posting" VALUES(11,1,'1100:data:poem-1','uslh',-2000000,'gathered into poems');
INSERT INTO "posting" VALUES(11,2,'1100:data:poem-2','uslh',-3000000,'gathered into poems');
INSERT INTO "posting" VALUES(15,0,'1200:model:poet','uslh',5000000,'train tuning');
INSERT INTO "posting" VALUES(15,1,'1100:dataset:poems','uslh',-5000000,'train tuning');
INSERT INTO "posting" VALUES(16,0,'9100:used:device-us','device-us',3600000000,'memo: device-us for poet');
INSERT INTO "posting" VALUES(16,1,'9100:meter:device-us','device-us',-3600000000,'memo: device-us for poet');
INSERT INTO "posting" VALUES(16,2,'9100:used:mwh','mwh',15000,'memo: mwh for poet');
INSERT INTO "posting" VALUES(16,3,'9100:meter:mwh','mwh',-15000,'memo: mwh for poet');
INSERT INTO "posting" VALUES(16,4,'1200:model:poet','uslh',40000,'desk ran for poet');
INSERT INTO "posting" VALUES(16,5,'4200:external:machine:cpu','uslh',-40000,'desk ran for poet');
INSERT INTO "posting" VALUES(19,0,'1400:prompt:prompt-1','uslh',11111,'labour of cy on prompt-1');
INSERT INTO "posting" VALUES(19,1,'4100:living-unpaid:1:cy','uslh',-11111,'labour of cy on prompt-1');
INSERT INTO "posting" VALUES(21,0,'5000:output:song-1','uslh',1691111,'generate singing');
INSERT INTO "posting" VALUES(21,1,'1200:model:poet','uslh',-1680000,'generate singing');
INSERT INTO "posting" VALUES(21,2,'1400:prompt:prompt-1','uslh',-11111,'generate singing');
INSERT INTO "posting" VALUES(25,0,'cash','EUR',10010000,'sold song-1');
INSERT INTO "posting" VALUES(25,1,'sales','EUR',-10010000,'sold song-1');
INSERT INTO "posting" VALUES(26,0,'dividends','EUR',5000000,'settled 2026-11');
INSERT INTO "posting" VALUES(26,1,'dividend-payable:ada','EUR',-2570000,'settled 2026-11');
INSERT INTO "posting" VALUES(26,2,'dividend-payable:bo','EUR',-1990000,'settled 2026-11');
INSERT INTO "posting" VALUES(26,3,'dividend-payable:cy','EUR',-20000,'settled 2026-11');
INSERT INTO "posting" VALUES(26,4,'owed:unidentified','EUR',-420000,'settled 2026-11');
INSERT INTO "posting" VALUES(28,0,'dividend-payable:ada','EUR',1000000,'paid to ada');
INSERT INTO "posting" VALUES(28,1,'cash','EUR',-1000000,'paid to ada');
CREATE TABLE touch (ref TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (ref, seq)) STRICT, WITHOUT ROWID;
INSERT INTO "touch" VALUES('ada',0);
INSERT INTO "touch" VALUES('ada',6);
INSERT INTO "touch" VALUES('ada',7);
INSERT INTO "touch" VALUES('ada',9);
INSERT INTO "touch" VALUES('base',12);
INSERT INTO "touch" VALUES('base',13);
INSERT INTO "touch" VALUES('base',15);
INSERT INTO "touch" VALUES('bo',1);
INSERT INTO "touch" VALUES('bo',7);
INSERT INTO "touch" VALUES('bo',10);
INSERT INTO "touch" VALUES('cy',2);
INSERT INTO "touch" VALUES('cy',18);
INSERT INTO "touch" VALUES('cy',19);
INSERT INTO "touch" VALUES('dee',27);
INSERT INTO "touch" VALUES('desk',3);
INSERT INTO "touch" VALUES('eve',29);
INSERT INTO "touch" VALUES('i1',22);
INSERT INTO "touch" VALUES('i2',23);
INSERT INTO "touch" VALUES('kind|dataset',11);
INSERT INTO "touch" VALUES('kind|influence',22);
INSERT INTO "touch" VALUES('kind|influence',23);
INSERT INTO "touch" VALUES('kind|make',15);
INSERT INTO "touch" VALUES('kind|make',21);
INSERT INTO "touch" VALUES('kind|model',12);
INSERT INTO "touch" VALUES('kind|model',14);
INSERT INTO "touch" VALUES('kind|output',20);
INSERT INTO "touch" VALUES('kind|policy',5);
INSERT INTO "touch" VALUES('kind|settlement',26);
INSERT INTO "touch" VALUES('kind|standard',4);
INSERT INTO "touch" VALUES('paid|ada',26);
INSERT INTO "touch" VALUES('paid|ada',28);
INSERT INTO "touch" VALUES('paid|bo',26);
INSERT INTO "touch" VALUES('paid|cy',26);
INSERT INTO "touch" VALUES('period:2026-11:EUR',23);
INSERT INTO "touch" VALUES('poem-1',6);
INSERT INTO "touch" VALUES('poem-1',9);
INSERT INTO "touch" VALUES('poem-1',11);
INSERT INTO "touch" VALUES('poem-2',7);
INSERT INTO "touch" VALUES('poem-2',10);
INSERT INTO "touch" VALUES('poem-2',11);
INSERT INTO "touch" VALUES('poem-2',24);
INSERT INTO "touch" VALUES('poem-3',8);
INSERT INTO "touch" VALUES('poem-3',11);
INSERT INTO "touch" VALUES('poems',11);
INSERT INTO "touch" VALUES('poems',15);
INSERT INTO "touch" VALUES('poet',14);
INSERT INTO "touch" VALUES('poet',15);
INSERT INTO "touch" VALUES('poet',16);
INSERT INTO "touch" VALUES('poet',17);
INSERT INTO "touch" VALUES('poet',21);
INSERT INTO "touch" VALUES('poet',22);
INSERT INTO "touch" VALUES('poet',23);
INSERT INTO "touch" VALUES('prompt-1',18);
INSERT INTO "touch" VALUES('prompt-1',19);
INSERT INTO "touch" VALUES('prompt-1',21);
INSERT INTO "touch" VALUES('settlement:EUR:2026-11',26);
INSERT INTO "touch" VALUES('singing',21);
INSERT INTO "touch" VALUES('song-1',20);
INSERT INTO "touch" VALUES('song-1',21);
INSERT INTO "touch" VALUES('song-1',22);
INSERT INTO "touch" VALUES('song-1',24);
INSERT INTO "touch" VALUES('song-1',25);
INSERT INTO "touch" VALUES('tuning',15);
CREATE TABLE view (tbl TEXT NOT NULL, key TEXT NOT NULL, row BLOB NOT NULL, PRIMARY KEY (tbl, key)) STRICT, WITHOUT ROWID;
INSERT INTO "view" VALUES('balances','1100:data:poem-1|uslh',CAST('0' AS BLOB));
INSERT INTO "view" VALUES('balances','1100:data:poem-2|uslh',CAST('0' AS BLOB));
INSERT INTO "view" VALUES('balances','1100:dataset:poems|uslh',CAST('0' AS BLOB));
INSERT INTO "view" VALUES('balances','1200:model:poet|uslh',CAST('3360000' AS BLOB));
INSERT INTO "view" VALUES('balances','1400:prompt:prompt-1|uslh',CAST('0' AS BLOB));
INSERT INTO "view" VALUES('balances','4000:living:1:ada|uslh',CAST('-2000000' AS BLOB));
INSERT INTO "view" VALUES('balances','4000:living:1:bo|uslh',CAST('-3000000' AS BLOB));
INSERT INTO "view" VALUES('balances','4100:living-unpaid:1:cy|uslh',CAST('-11111' AS BLOB));
INSERT INTO "view" VALUES('balances','4200:external:machine:cpu|uslh',CAST('-40000' AS BLOB));
INSERT INTO "view" VALUES('balances','5000:output:song-1|uslh',CAST('1691111' AS BLOB));
INSERT INTO "view" VALUES('balances','9100:meter:device-us|device-us',CAST('-3600000000' AS BLOB));
INSERT INTO "view" VALUES('balances','9100:meter:mwh|mwh',CAST('-15000' AS BLOB));
INSERT INTO "view" VALUES('balances','9100:used:device-us|device-us',CAST('3600000000' AS BLOB));
INSERT INTO "view" VALUES('balances','9100:used:mwh|mwh',CAST('15000' AS BLOB));
INSERT INTO "view" VALUES('balances','cash|EUR',CAST('9010000' AS BLOB));
INSERT INTO "view" VALUES('balances','dividend-payable:ada|EUR',CAST('-1570000' AS BLOB));
INSERT INTO "view" VALUES('balances','dividend-payable:bo|EUR',CAST('-1990000' AS BLOB));
INSERT INTO "view" VALUES('balances','dividend-payable:cy|EUR',CAST('-20000' AS BLOB));
INSERT INTO "view" VALUES('balances','dividends|EUR',CAST('5000000' AS BLOB));
INSERT INTO "view" VALUES('balances','owed:unidentified|EUR',CAST('-420000' AS BLOB));
INSERT INTO "view" VALUES('balances','sales|EUR',CAST('-10010000' AS BLOB));
INSERT INTO "view" VALUES('carried','EUR',CAST('5000' AS BLOB));
INSERT INTO "view" VALUES('closed','EUR|2026-11',CAST('"settlement:EUR:2026-11"' AS BLOB));
INSERT INTO "view" VALUES('days','ada|2026-11-01',CAST('7200000000' AS BLOB));
INSERT INTO "view" VALUES('days','bo|2026-11-01',CAST('5400000000' AS BLOB));
INSERT INTO "view" VALUES('days','cy|2026-11-02',CAST('40000000' AS BLOB));
INSERT INTO "view" VALUES('influences','i2',CAST('{"effects":[{"effect_nnat":300,"work":"poem-1"},{"effect_nnat":200,"work":"poem-2"},{"effect_nnat":100,"work":"poem-3"}],"grade":"settlement","influence":"i2","method":"test","model":"poet","notes":[],"seed":7,"target":"period:2026-11:EUR","utility":"log-likelihood"}' AS BLOB));
INSERT INTO "view" VALUES('influences','target|period:2026-11:EUR',CAST('{"effects":[{"effect_nnat":300,"work":"poem-1"},{"effect_nnat":200,"work":"poem-2"},{"effect_nnat":100,"work":"poem-3"}],"grade":"settlement","influence":"i2","method":"test","model":"poet","notes":[],"seed":7,"target":"period:2026-11:EUR","utility":"log-likelihood"}' AS BLOB));
INSERT INTO "view" VALUES('makers','ada',CAST('{"form":"person","people":1}' AS BLOB));
INSERT INTO "view" VALUES('makers','bo',CAST('{"form":"person","people":1}' AS BLOB));
INSERT INTO "view" VALUES('makers','cy',CAST('{"form":"person","people":1}' AS BLOB));
INSERT INTO "view" VALUES('makers','dee',CAST('{"form":"person","people":1}' AS BLOB));
INSERT INTO "view" VALUES('makers','desk',CAST('{"form":"machine","people":1}' AS BLOB));
INSERT INTO "view" VALUES('makers','eve',CAST('{"form":"person","people":1}' AS BLOB));
INSERT INTO "view" VALUES('names','influence|i1',CAST('22' AS BLOB));
INSERT INTO "view" VALUES('names','influence|i2',CAST('23' AS BLOB));
INSERT INTO "view" VALUES('names','maker|ada',CAST('0' AS BLOB));
INSERT INTO "view" VALUES('names','maker|bo',CAST('1' AS BLOB));
INSERT INTO "view" VALUES('names','maker|cy',CAST('2' AS BLOB));
INSERT INTO "view" VALUES('names','maker|dee',CAST('27' AS BLOB));
INSERT INTO "view" VALUES('names','maker|desk',CAST('3' AS BLOB));
INSERT INTO "view" VALUES('names','maker|eve',CAST('29' AS BLOB));
INSERT INTO "view" VALUES('names','make|singing',CAST('21' AS BLOB));
INSERT INTO "view" VALUES('names','make|tuning',CAST('15' AS BLOB));
INSERT INTO "view" VALUES('names','payment|payment:01a20251-f9ad-785c-b2cf-075273645e31',CAST('28' AS BLOB));
INSERT INTO "view" VALUES('names','policy|p1',CAST('5' AS BLOB));
INSERT INTO "view" VALUES('names','sale|sale-1',CAST('25' AS BLOB));
INSERT INTO "view" VALUES('names','settlement|settlement:EUR:2026-11',CAST('26' AS BLOB));
INSERT INTO "view" VALUES('names','standard|s1',CAST('4' AS BLOB));
INSERT INTO "view" VALUES('names','work|base',CAST('12' AS BLOB));
INSERT INTO "view" VALUES('names','work|poem-1',CAST('6' AS BLOB));
INSERT INTO "view" VALUES('names','work|poem-2',CAST('7' AS BLOB));
INSERT INTO "view" VALUES('names','work|poem-3',CAST('8' AS BLOB));
INSERT INTO "view" VALUES('names','work|poems',CAST('11' AS BLOB));
INSERT INTO "view" VALUES('names','work|poet',CAST('14' AS BLOB));
INSERT INTO "view" VALUES('names','work|prompt-1',CAST('18' AS BLOB));
INSERT INTO "view" VALUES('names','work|song-1',CAST('20' AS BLOB));
INSERT INTO "view" VALUES('policies','*',CAST('{"policy":{"beta_ppm":500000,"coin_micro":10000,"currency":"EUR","grade":"settlement","negative":"clip","policy":"p1","pool_ppm":500000,"statement":"half-and-half","utility":"log-likelihood"},"seq":5}' AS BLOB));
INSERT INTO "view" VALUES('policies','EUR|0000000000000005',CAST('{"policy":{"beta_ppm":500000,"coin_micro":10000,"currency":"EUR","grade":"settlement","negative":"clip","policy":"p1","pool_ppm":500000,"statement":"half-and-half","utility":"log-likelihood"},"seq":5}' AS BLOB));
INSERT INTO "view" VALUES('policies','p1',CAST('{"policy":{"beta_ppm":500000,"coin_micro":10000,"currency":"EUR","grade":"settlement","negative":"clip","policy":"p1","pool_ppm":500000,"statement":"half-and-half","utility":"log-likelihood"},"seq":5}' AS BLOB));
INSERT INTO "view" VALUES('sales','EUR|2026-11-03|sale-1',CAST('{"labour":{"ada":666667,"bo":1000000,"cy":11111},"output":"song-1","price_micro":10010000,"seq":25}' AS BLOB));
INSERT INTO "view" VALUES('standards','*',CAST('{"basis":"test","currency":"EUR","machines":[{"device":"cpu","uslh_per_hour":40000}],"melt_micro":40000000,"reductions":[{"den":1,"num":2,"skill":"x2"}],"standard":"s1"}' AS BLOB));
INSERT INTO "view" VALUES('standards','s1',CAST('{"basis":"test","currency":"EUR","machines":[{"device":"cpu","uslh_per_hour":40000}],"melt_micro":40000000,"reductions":[{"den":1,"num":2,"skill":"x2"}],"standard":"s1"}' AS BLOB));
INSERT INTO "view" VALUES('stocks','base',CAST('{"base":0,"fed":false,"kind":"model","planned":10,"produced":{},"sources":{},"unmeasured":false,"used":1}' AS BLOB));
INSERT INTO "view" VALUES('stocks','poem-1',CAST('{"base":2000000,"fed":true,"kind":"data","planned":1,"produced":{},"sources":{},"unmeasured":false,"used":1}' AS BLOB));
INSERT INTO "view" VALUES('stocks','poem-2',CAST('{"base":3000000,"fed":true,"kind":"data","planned":1,"produced":{},"sources":{},"unmeasured":false,"used":1}' AS BLOB));
INSERT INTO "view" VALUES('stocks','poem-3',CAST('{"base":0,"fed":false,"kind":"data","planned":1,"produced":{},"sources":{},"unmeasured":false,"used":1}' AS BLOB));
INSERT INTO "view" VALUES('stocks','poems',CAST('{"base":5000000,"fed":true,"kind":"dataset","planned":1,"produced":{},"sources":{},"unmeasured":true,"used":1}' AS BLOB));
INSERT INTO "view" VALUES('stocks','poet',CAST('{"base":5040000,"fed":true,"kind":"model","planned":3,"produced":{},"sources":{"external|machine|cpu":26667,"living|1|training|crowd|measured|bo":2000000,"living|1|training|employed|measured|ada":1333333},"unmeasured":true,"used":1}' AS BLOB));
INSERT INTO "view" VALUES('stocks','prompt-1',CAST('{"base":11111,"fed":true,"kind":"prompt","planned":1,"produced":{},"sources":{},"unmeasured":false,"used":1}' AS BLOB));
INSERT INTO "view" VALUES('stocks','song-1',CAST('{"base":1691111,"fed":true,"kind":"output","planned":1,"produced":{"external|machine|cpu":13333,"living|1|inference|unpaid|measured|cy":11111,"living|1|training|crowd|measured|bo":1000000,"living|1|training|employed|measured|ada":666667},"sources":{"external|machine|cpu":13333,"living|1|inference|unpaid|measured|cy":11111,"living|1|training|crowd|measured|bo":1000000,"living|1|training|employed|measured|ada":666667},"unmeasured":true,"used":0}' AS BLOB));
INSERT INTO "view" VALUES('works','base',CAST('{"kind":"model","makers":[],"members":[],"model":null,"quantity":1,"seq":12,"sha256":"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"}' AS BLOB));
INSERT INTO "view" VALUES('works','poem-1',CAST('{"kind":"data","makers":[{"maker":"ada","ppm":1000000}],"members":[],"model":null,"quantity":1,"seq":6,"sha256":"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"}' AS BLOB));
INSERT INTO "view" VALUES('works','poem-2',CAST('{"kind":"data","makers":[{"maker":"ada","ppm":400000},{"maker":"bo","ppm":600000}],"members":[],"model":null,"quantity":1,"seq":7,"sha256":"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"}' AS BLOB));
INSERT INTO "view" VALUES('works','poem-3',CAST('{"kind":"data","makers":[],"members":[],"model":null,"quantity":1,"seq":8,"sha256":"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"}' AS BLOB));
INSERT INTO "view" VALUES('works','poems',CAST('{"kind":"dataset","makers":[],"members":["poem-1","poem-2","poem-3"],"model":null,"quantity":1,"seq":11,"sha256":"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"}' AS BLOB));
INSERT INTO "view" VALUES('works','poet',CAST('{"kind":"model","makers":[],"members":["poems"],"model":null,"quantity":1,"seq":14,"sha256":"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"}' AS BLOB));
INSERT INTO "view" VALUES('works','prompt-1',CAST('{"kind":"prompt","makers":[{"maker":"cy","ppm":1000000}],"members":[],"model":null,"quantity":1,"seq":18,"sha256":"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"}' AS BLOB));
INSERT INTO "view" VALUES('works','song-1',CAST('{"kind":"output","makers":[],"members":[],"model":"poet","quantity":1,"seq":20,"sha256":"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"}' AS BLOB));
CREATE TABLE viewed (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL) STRICT;
INSERT INTO "viewed" VALUES(1,30);
CREATE TRIGGER fact_update BEFORE UPDATE ON fact BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END;
CREATE TRIGGER fact_delete BEFORE DELETE ON fact BEGIN SELECT RAISE(ABORT, 'facts are never deleted'); END;
CREATE TRIGGER node_update BEFORE UPDATE ON node BEGIN SELECT RAISE(ABORT, 'hashes are never changed'); END;
CREATE TRIGGER node_delete BEFORE DELETE ON node BEGIN SELECT RAISE(ABORT, 'hashes are never deleted'); END;
CREATE TRIGGER checkpoint_update BEFORE UPDATE ON checkpoint BEGIN SELECT RAISE(ABORT, 'checkpoints are never changed'); END;
CREATE TRIGGER checkpoint_delete BEFORE DELETE ON checkpoint BEGIN SELECT RAISE(ABORT, 'checkpoints are never deleted'); END;
COMMIT;
