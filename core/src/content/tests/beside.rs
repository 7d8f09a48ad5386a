//! Text and bytes beside the list in a workbook: where a hostile reader found room, and what Excel and LibreOffice
//! write there.

use std::io::{Read, Write};

use rust_xlsxwriter::{DataValidation, DocProperties};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::xlsx::workbook;
use super::*;

type Parts = Vec<(String, String)>;

const EXTRAS: [&str; 1] = ["workbook-extras[]"];
const TEXT: [&str; 1] = ["workbook-text[]"];
const UNREADABLE: [&str; 1] = ["unreadable[]"];
const GOOD: [&str; 0] = [];
/// A number of nobody, that checks.
const NUMBER: &str = "85.07.30-033.28";

fn parts_of(file: &[u8]) -> Parts {
    let mut archive = ZipArchive::new(Cursor::new(file)).unwrap();
    (0..archive.len())
        .map(|at| {
            let mut part = archive.by_index(at).unwrap();
            let mut text = String::new();
            part.read_to_string(&mut text).unwrap();
            (part.name().unwrap().into_owned(), text)
        })
        .collect()
}

fn zipped(parts: &Parts) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn judged(file: &[u8]) -> Vec<String> {
    broken(look("lijst.xlsx", file, &rules()))
}

/// A plain workbook, with this done to its parts.
fn changed(change: impl FnOnce(&mut Parts)) -> Vec<String> {
    let mut parts = parts_of(&workbook(|_| {}));
    change(&mut parts);
    judged(&zipped(&parts))
}

fn with_part(name: &str, text: &str) -> Vec<String> {
    changed(|parts| {
        parts.retain(|(other, _)| other != name);
        parts.push((name.to_owned(), text.to_owned()));
    })
}

/// A plain workbook with this in place of that, in one of its parts.
fn put(part: &str, old: &str, new: &str) -> Vec<String> {
    changed(|parts| {
        let (_, text) = parts.iter_mut().find(|(name, _)| name == part).unwrap();
        assert!(text.contains(old), "{part}: {text}");
        *text = text.replacen(old, new, 1);
    })
}

const SHEET: &str = "xl/worksheets/sheet1.xml";
const BOOK: &str = "xl/workbook.xml";

#[test]
fn a_part_has_one_of_the_names_of_a_workbook() {
    for name in [
        "xl/theme/namen.csv",
        "xl/theme/theme1.xml/namen.csv",
        "xl/theme/themex.xml",
        "xl/theme/theme2.xml",
        "xl/tables/namen.csv",
        "xl/printerSettings/printerSettings1.bin",
        "xl/worksheets/_rels/namen.csv",
        "xl/worksheets/_rels/sheet1.xml.rels.bak",
        "docProps/custom.xml",
        "janssens/",
    ] {
        assert_eq!(with_part(name, ""), EXTRAS, "{name}");
    }
    assert_eq!(with_part("xl/theme/", "Janssens"), TEXT, "a folder that holds something");
    assert_eq!(with_part("xl/theme/", ""), GOOD);
}

/// A declaration is taken by readers wherever it stands, and shown by none.
#[test]
fn a_part_is_declared_once_as_programs_do() {
    assert_eq!(put(SHEET, "<sheetData>", &format!("<?xml Janssens {NUMBER}?><sheetData>")), TEXT);
    assert_eq!(put(SHEET, "<sheetData>", "<?xml version='1.0'?><sheetData>"), TEXT);
    let theme = |declared: &str| {
        with_part("xl/theme/theme1.xml", &format!("{declared}<a:theme xmlns:a='x'/>"))
    };
    for declared in
        ["", "<?xml version='1.0'?>", "<?xml version=\"1.0\" encoding=\"utf-8\" standalone='no' ?>"]
    {
        assert_eq!(theme(declared), GOOD, "{declared}");
    }
    for declared in [
        "<?xml version='1.0' name='Janssens'?>",
        "<?xml version='1.0' encoding='Janssens'?>",
        "<?xml version='1.0' Janssens?>",
        "<?xml version='1.0'?><?xml version='1.0'?>",
        "\n<?xml version='1.0'?>",
    ] {
        assert_eq!(theme(declared), TEXT, "{declared}");
    }
}

#[test]
fn a_part_of_looks_holds_no_text() {
    let root = |inner: &str| format!("<a:theme xmlns:a='x'>{inner}</a:theme>");
    let theme = |text: &str| with_part("xl/theme/theme1.xml", text);
    assert_eq!(theme(&root("<a:b c='d'/>\n")), GOOD);
    assert_eq!(theme("Jan;Janssens"), TEXT);
    for inner in [
        "Janssens",
        "<a:b>Janssens</a:b>",
        "<![CDATA[Janssens]]>",
        "<!-- Janssens -->",
        "<?janssens jan?>",
        &format!("<a:b name='{NUMBER}'/>"),
        &format!("<a:b name='{}'/>", "Janssens ".repeat(40)),
        "<a:n85073003328/>",
    ] {
        assert_eq!(theme(&root(inner)), TEXT, "{inner}");
    }
    assert_eq!(theme(&root(&"<a:b/>".repeat(50_000))), TEXT, "more of it than looks take");
    for (part, text) in [
        ("xl/styles.xml", "<a>Janssens</a>"),
        ("[Content_Types].xml", "<a>Janssens</a>"),
        ("xl/tables/table1.xml", "<a>Janssens</a>"),
        ("docMetadata/LabelInfo.xml", "<a>Janssens</a>"),
        ("xl/calcChain.xml", "<a>Janssens</a>"),
    ] {
        assert_eq!(with_part(part, text), TEXT, "{part}");
    }
}

/// The parts as Excel 16 writes them: extensions and revisions everywhere, in a folder of its user.
#[test]
fn what_excel_writes_passes() {
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006";
    let mc = "http://schemas.openxmlformats.org/markup-compatibility/2006";
    let ms = "http://schemas.microsoft.com/office/spreadsheetml";
    let book = format!(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<workbook xmlns="{main}" xmlns:r="{office}/relationships" xmlns:mc="{mc}" mc:Ignorable="x15 xr xr6 xr10 xr2" xmlns:x15="{ms}/2010/11/main" xmlns:xr="{ms}/2014/revision" xmlns:xr6="{ms}/2016/revision6" xmlns:xr10="{ms}/2016/revision10" xmlns:xr2="{ms}/2015/revision2"><fileVersion appName="xl" lastEdited="7" lowestEdited="7" rupBuild="11102"/><workbookPr defaultThemeVersion="202300"/><mc:AlternateContent xmlns:mc="{mc}"><mc:Choice Requires="x15"><x15ac:absPath url="C:\\Users\\els\\Lijsten 2026\\" xmlns:x15ac="{ms}/2010/11/ac"/></mc:Choice></mc:AlternateContent><xr:revisionPtr revIDLastSave="0" documentId="13_ncr:1_{{72F4ACBD-09B5-C84F-999C-9170648DE00D}}" xr6:coauthVersionLast="47" xr6:coauthVersionMax="47" xr10:uidLastSave="{{00000000-0000-0000-0000-000000000000}}"/><bookViews><workbookView xWindow="6940" yWindow="4780" windowWidth="27640" windowHeight="16940" xr2:uid="{{3862BDDA-C65F-3C42-A23C-F36FD08E3D2C}}"/></bookViews><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets><definedNames><definedName name="_xlnm._FilterDatabase" localSheetId="0" hidden="1">Sheet1!$A$1:$C$4</definedName></definedNames><calcPr calcId="181029"/><extLst><ext uri="{{140A7094-0E35-4892-8432-C4D2E57EDEB5}}" xmlns:x15="{ms}/2010/11/main"><x15:workbookPr chartTrackingRefBase="1"/></ext><ext uri="{{B58B0392-4F1F-4190-BB64-5DF3571DCE5F}}" xmlns:xcalcf="{ms}/2018/calcfeatures"><xcalcf:calcFeatures><xcalcf:feature name="microsoft.com:RD"/></xcalcf:calcFeatures></ext></extLst></workbook>"#
    );
    let head = format!(
        r#"<worksheet xmlns="{main}" xmlns:r="{office}/relationships" xmlns:mc="{mc}" mc:Ignorable="x14ac xr xr2 xr3" xmlns:x14ac="{ms}/2009/9/ac" xmlns:xr="{ms}/2014/revision" xmlns:xr2="{ms}/2015/revision2" xmlns:xr3="{ms}/2016/revision3" xr:uid="{{00000000-0001-0000-0000-000000000000}}"><dimension ref="A1:C4"/><sheetViews><sheetView tabSelected="1" workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/><selection pane="bottomLeft" activeCell="E13" sqref="E13"/></sheetView></sheetViews><sheetFormatPr baseColWidth="10" defaultRowHeight="16" x14ac:dyDescent="0.2"/><cols><col min="1" max="1" width="21.5703125" bestFit="1" customWidth="1"/></cols><sheetData>"#
    );
    let tail = r#"</sheetData><autoFilter ref="A1:C4" xr:uid="{00000000-0001-0000-0000-000000000000}"/><pageMargins left="0.70866141732283472" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/><pageSetup paperSize="9" orientation="portrait"/><ignoredErrors><ignoredError sqref="A1:A4" numberStoredAsText="1"/></ignoredErrors></worksheet>"#;
    let app = format!(
        r#"<Properties xmlns="{office}/extended-properties" xmlns:vt="{office}/docPropsVTypes"><Application>Microsoft Excel</Application><DocSecurity>0</DocSecurity><ScaleCrop>false</ScaleCrop><HeadingPairs><vt:vector size="2" baseType="variant"><vt:variant><vt:lpstr>Werkbladen</vt:lpstr></vt:variant><vt:variant><vt:i4>1</vt:i4></vt:variant></vt:vector></HeadingPairs><TitlesOfParts><vt:vector size="1" baseType="lpstr"><vt:lpstr>Sheet1</vt:lpstr></vt:vector></TitlesOfParts><Company>Agentschap</Company><LinksUpToDate>false</LinksUpToDate><SharedDoc>false</SharedDoc><HyperlinksChanged>false</HyperlinksChanged><AppVersion>16.0300</AppVersion></Properties>"#
    );
    assert_eq!(
        as_written(&book, &head, tail, &app, r#" spans="1:3" x14ac:dyDescent="0.25""#),
        GOOD
    );
}

/// As LibreOffice 7 does: every default said, and a header and footer that nobody asked for.
#[test]
fn what_libreoffice_writes_passes() {
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006";
    let book = format!(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<workbook xmlns="{main}" xmlns:r="{office}/relationships"><fileVersion appName="Calc"/><workbookPr backupFile="false" showObjects="all" date1904="false"/><workbookProtection/><bookViews><workbookView showHorizontalScroll="true" xWindow="0" yWindow="0" windowWidth="16384" windowHeight="8192" tabRatio="500" firstSheet="0" activeTab="0"/></bookViews><sheets><sheet name="Sheet1" sheetId="1" state="visible" r:id="rId1"/></sheets><definedNames><definedName function="false" hidden="true" localSheetId="0" name="_xlnm._FilterDatabase" vbProcedure="false">Sheet1!$A$1:$C$4</definedName></definedNames><calcPr iterateCount="100" refMode="A1" iterate="false" iterateDelta="0.001"/><extLst><ext xmlns:loext="http://schemas.libreoffice.org/" uri="{{7626C862-2A13-11E5-B345-FEFF819CDC9F}}"><loext:extCalcPr stringRefSyntax="CalcA1"/></ext></extLst></workbook>"#
    );
    let head = format!(
        r#"<worksheet xmlns="{main}" xmlns:r="{office}/relationships"><sheetPr filterMode="false"><pageSetUpPr fitToPage="false"/></sheetPr><dimension ref="A1:C4"/><sheetViews><sheetView showFormulas="false" view="normal" topLeftCell="A1" colorId="64" zoomScale="100" workbookViewId="0"><selection pane="topLeft" activeCell="A4" activeCellId="0" sqref="A4"/></sheetView></sheetViews><sheetFormatPr defaultColWidth="11.55078125" defaultRowHeight="12.8" zeroHeight="false" outlineLevelRow="0" outlineLevelCol="0"></sheetFormatPr><cols><col collapsed="false" customWidth="false" hidden="false" outlineLevel="0" max="1" min="1" style="1" width="11.54"/></cols><sheetData>"#
    );
    let tail = r#"</sheetData><printOptions headings="false" gridLines="false"/><pageMargins left="0.7875" right="0.7875" top="1.05277777777778" bottom="1.05277777777778" header="0.7875" footer="0.7875"/><pageSetup paperSize="9" scale="100" pageOrder="downThenOver" orientation="portrait"/><headerFooter differentFirst="false" differentOddEven="false"><oddHeader>&amp;C&amp;&quot;Times New Roman,Regular&quot;&amp;12&amp;A</oddHeader><oddFooter>&amp;C&amp;&quot;Times New Roman,Regular&quot;&amp;12Pagina &amp;P</oddFooter></headerFooter></worksheet>"#;
    let app = format!(
        r#"<Properties xmlns="{office}/extended-properties" xmlns:vt="{office}/docPropsVTypes"><Template></Template><TotalTime>0</TotalTime><Application>LibreOffice/6.3.0.4$MacOSX_X86_64 LibreOffice_project/057fc023c990d676a43019934386b85b21a9ee99</Application><AppVersion>15.0000</AppVersion></Properties>"#
    );
    let row = r#" customFormat="false" ht="12.8" hidden="false" customHeight="false" outlineLevel="0" collapsed="false""#;
    assert_eq!(as_written(&book, &head, tail, &app, row), GOOD);
}

/// A plain list with these around its rows and this on each.
fn as_written(book: &str, head: &str, tail: &str, app: &str, row: &str) -> Vec<String> {
    changed(|parts| {
        for (name, text) in parts {
            match &**name {
                BOOK => book.clone_into(text),
                "docProps/app.xml" => app.clone_into(text),
                SHEET => {
                    let rows = text.split_once("<sheetData>").unwrap().1;
                    let rows = rows.split_once("</sheetData>").unwrap().0;
                    let rows = rows.replace(" spans=\"1:3\"", row);
                    assert!(rows.contains(row));
                    *text = format!("{head}{rows}{tail}");
                }
                _ => {}
            }
        }
    })
}

#[test]
fn every_byte_belongs_to_a_part() {
    let good = workbook(|_| {});
    let names = b"naam;nummer\nJanssens;85073003328\n";
    assert_eq!(judged(&[&names[..], &good].concat()), TEXT, "before");
    assert_eq!(judged(&[&good, &names[..]].concat()), TEXT, "behind");
    let directory = find(&good, b"PK\x01\x02");
    let second = 4 + find(&good[4..], b"PK\x03\x04");
    for at in [second, directory] {
        let mut file = [&good[..at], names, &good[at..]].concat();
        shift(&mut file, at, names.len());
        assert!(ZipArchive::new(Cursor::new(&file)).is_ok(), "other readers take it");
        assert_eq!(judged(&file), TEXT, "between, at {at}");
    }
    let mut commented = ZipWriter::new_append(Cursor::new(good.clone())).unwrap();
    commented.set_comment("Janssens").unwrap();
    assert_eq!(judged(&commented.finish().unwrap().into_inner()), TEXT, "comment");
    let room = [&[0x20, 0xa2, 8, 0, 0x28, 0xa0, 0, 0], &[0; 4][..]].concat();
    let used = [&room[..8], b"Jan!"].concat();
    // The lengths of the extra field in the head of a part and in its entry, and that of its comment.
    for (entry, field) in [(0, 28), (directory, 30), (directory, 32)] {
        assert_eq!(
            judged(&with_field(&good, entry, field, b"\x77\x77\x04\0Jan!")),
            TEXT,
            "{field}"
        );
        assert_eq!(judged(&with_field(&good, entry, field, &used)), TEXT, "{field}");
        // Room that Excel leaves, to write in place later.
        let left = judged(&with_field(&good, entry, field, &room));
        assert_eq!(left, if field == 32 { &TEXT[..] } else { &[] }, "{field}");
    }
}

/// The archive with this as a field of its first part, whose length stands at `field` in the record that begins at `entry`.
fn with_field(good: &[u8], entry: usize, field: usize, data: &[u8]) -> Vec<u8> {
    let name = usize::from(good[26]);
    let at = entry + name + if entry == 0 { 30 } else { 46 };
    let mut file = [&good[..at], data, &good[at..]].concat();
    file[entry + field] = u8::try_from(data.len()).unwrap();
    if entry == 0 {
        shift(&mut file, at, data.len());
    } else {
        // The directory is longer.
        let length = file.len() - 10;
        let old = u32::from_le_bytes(file[length..length + 4].try_into().unwrap());
        let new = old + u32::try_from(data.len()).unwrap();
        file[length..length + 4].copy_from_slice(&new.to_le_bytes());
    }
    assert!(ZipArchive::new(Cursor::new(&file)).is_ok(), "other readers take it");
    file
}

fn find(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).position(|window| window == what).unwrap()
}

/// Sets the offsets of an archive right, into which so many bytes were put.
fn shift(file: &mut [u8], from: usize, by: usize) {
    let places: Vec<_> = (0..file.len() - 4)
        .filter_map(|at| match &file[at..at + 4] {
            b"PK\x01\x02" => Some(at + 42),
            b"PK\x05\x06" => Some(at + 16),
            _ => None,
        })
        .collect();
    for at in places {
        let old = u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        if usize::try_from(old).unwrap() >= from {
            let new = old + u32::try_from(by).unwrap();
            file[at..at + 4].copy_from_slice(&new.to_le_bytes());
        }
    }
}

#[test]
fn what_follows_the_end_of_a_compressed_part_is_seen() {
    let good = zipped(&parts_of(&workbook(|_| {})));
    let mut archive = ZipArchive::new(Cursor::new(&good)).unwrap();
    let first = archive.by_index(0).unwrap();
    assert_eq!(first.compression(), CompressionMethod::Deflated);
    let (start, length) = (first.data_start().unwrap(), first.compressed_size());
    drop(first);
    let (start, length) = (usize::try_from(start).unwrap(), usize::try_from(length).unwrap());
    let names = b"Janssens;85073003328";
    let mut file = [&good[..start + length], names, &good[start + length..]].concat();
    shift(&mut file, start + length, names.len());
    let longer = u32::try_from(length + names.len()).unwrap().to_le_bytes();
    let directory = find(&file, b"PK\x01\x02");
    file[18..22].copy_from_slice(&longer);
    file[directory + 20..directory + 24].copy_from_slice(&longer);
    let mut archive = ZipArchive::new(Cursor::new(&file)).unwrap();
    let mut text = String::new();
    archive.by_index(0).unwrap().read_to_string(&mut text).unwrap();
    assert!(text.starts_with("<?xml"), "other readers take it");
    assert_eq!(judged(&file), UNREADABLE);
}

#[test]
fn the_sheet_that_is_judged_is_the_one_that_programs_open() {
    let relations = "xl/_rels/workbook.xml.rels";
    let second = |book: &str, relation: &str| {
        changed(|parts| {
            for (name, text) in parts.iter_mut() {
                if name == BOOK {
                    *text =
                        text.replace("<sheet name=\"Sheet1\" sheetId=\"1\" r:id=\"rId1\"/>", book);
                }
                if name == relations {
                    *text = text.replace(
                        "<Relationship Id=\"rId1\"",
                        &format!("{relation}<Relationship Id=\"rId1\""),
                    );
                }
            }
        })
    };
    let sheet = |attributes: &str| {
        second(&format!("<sheet name='Sheet1' sheetId='1' xmlns:x='urn:x' {attributes}/>"), "")
    };
    assert_eq!(sheet("r:id='rId1'"), GOOD);
    assert_eq!(sheet("x:id='rId1' r:id='rId2'"), UNREADABLE);
    assert_eq!(sheet("r:id='rId2' x:id='rId1'"), UNREADABLE);
    assert_eq!(sheet("x:id='rId1'"), UNREADABLE);
    assert_eq!(sheet("id='rId1'"), UNREADABLE);
    // Styles, in place of a sheet.
    assert_eq!(sheet("r:id='rId3'"), UNREADABLE);
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let twice = format!(
        "<Relationship Id='rId1' Type='{office}/worksheet' Target='worksheets/sheet2.xml'/>"
    );
    let one = "<sheet name='Sheet1' sheetId='1' r:id='rId1'/>";
    assert_eq!(second(one, &twice), UNREADABLE, "one name, two sheets");
    // Strings that only programs read: by the type of the relation.
    let strings =
        format!("<Relationship Id='rId9' Type='{office}/sharedStrings' Target='metadata.xml'/>");
    assert_eq!(second(one, &strings), EXTRAS);
    let elsewhere = format!(
        "<Relationship Id='rId9' Type='{office}/attachedTemplate' Target='file:///x' TargetMode='External'/>"
    );
    assert_eq!(second(one, &elsewhere), EXTRAS);
    assert_eq!(put("_rels/.rels", "xl/workbook.xml", "xl/styles.xml"), EXTRAS);
    let foreign = format!(
        "<mc:AlternateContent xmlns:mc='http://schemas.openxmlformats.org/markup-compatibility/2006'><mc:Choice Requires='x'>{one}</mc:Choice></mc:AlternateContent>{one}"
    );
    assert_eq!(second(&foreign, ""), EXTRAS);
    let other = "xl/worksheets/sheet2.xml";
    assert_eq!(with_part(other, "<worksheet/>"), EXTRAS, "a sheet that nobody lists");
    assert_eq!(put(SHEET, "</sheetData>", "</sheetData><sheetData/>"), UNREADABLE);
    for cells in ["<row><c><v>1</v></c></row>", "<col><c><v>1</v></c></col>"] {
        assert_eq!(
            put(SHEET, "<sheetData>", &format!("<cols>{cells}</cols><sheetData>")),
            UNREADABLE
        );
        assert_eq!(
            put(SHEET, "</sheetData>", &format!("</sheetData><cols>{cells}</cols>")),
            UNREADABLE
        );
    }
}

#[test]
fn a_sheet_holds_its_cells_and_no_other_text() {
    let before = |xml: &str| put(SHEET, "<pageMargins", &format!("{xml}<pageMargins"));
    let after = |xml: &str| put(SHEET, "</worksheet>", &format!("{xml}</worksheet>"));
    for text in ["Janssens", "<!-- Janssens -->", "<?jan janssens?>", "<v>Janssens</v>"] {
        assert_eq!(before(text), TEXT, "{text}");
    }
    for extra in [
        "<janssens/>",
        "<dataValidations><dataValidation prompt='Janssens' sqref='A1'/></dataValidations>",
        "<conditionalFormatting sqref='A1'/>",
        "<customProperties/>",
        "<extLst><ext uri='{1}'/></extLst>",
        "<autoFilter ref='A1:C4'><filterColumn colId='0'/></autoFilter>",
        "<y:pageMargins xmlns:y='urn:y'/>",
    ] {
        assert_eq!(before(extra), EXTRAS, "{extra}");
    }
    let header =
        |text: &str| after(&format!("<headerFooter><oddHeader>{text}</oddHeader></headerFooter>"));
    for text in
        ["Janssens", "&amp;CJanssens", "&amp;C&amp;A Jan", "&amp;P van &amp;N, Jan", "&amp;&amp;"]
    {
        assert_eq!(header(text), TEXT, "{text}");
    }
    assert_eq!(header(&format!("&amp;C&amp;\"{NUMBER}\"&amp;A")), TEXT);
    for text in [
        "",
        "&amp;LPagina &amp;P van &amp;N&amp;R&amp;D",
        "&amp;C&amp;\"Times New Roman,Regular\"&amp;12&amp;A",
    ] {
        assert_eq!(header(text), GOOD, "{text}");
    }
    let attribute = |name: &str, text: &str| before(&format!("<printOptions {name}='{text}'/>"));
    assert_eq!(attribute("headings", "0"), GOOD);
    assert_eq!(attribute("headings", NUMBER), TEXT);
    assert_eq!(put(SHEET, "<row r=\"1\"", "<row note=\"Janssens\" r=\"1\""), TEXT);
    assert_eq!(put(SHEET, "<row r=\"1\"", "<row ht=\"85073003328\" r=\"1\""), TEXT);
    let many = "<brk id='1' name='Janssens'/>".repeat(3000);
    assert_eq!(before(&many), TEXT, "more looks than a sheet has");
    let many = format!("{}</sst>", "<si jan='Janssens'/>".repeat(4000));
    assert!(put("xl/sharedStrings.xml", "</sst>", &many).contains(&TEXT[0].into()));
    assert_eq!(put(SHEET, "<c r=\"A1\"", "<c r=\"A1\" ph=\"Janssens\""), TEXT);
    assert_eq!(put(SHEET, "<c r=\"A1\" t=\"s\"", "<c r=\"A1\" t=\"Janssens\""), UNREADABLE);
    assert_eq!(put(SHEET, "<v>0</v>", "<v>0</v><is><t>Janssens</t></is>"), UNREADABLE);
    let strings = "xl/sharedStrings.xml";
    assert_eq!(put(strings, "</si>", "<rPh sb=\"0\" eb=\"1\"><t>Janssens</t></rPh></si>"), TEXT);
    assert_eq!(put(strings, "</sst>", "Janssens</sst>"), TEXT);
    assert_eq!(put(strings, "</sst>", "<janssens/></sst>"), EXTRAS);
    // What the library writes of it.
    let prompt = DataValidation::new().set_input_message("Janssens").unwrap();
    let sheet = |book: &mut rust_xlsxwriter::Workbook| {
        book.worksheet_from_index(0).unwrap().add_data_validation(1, 1, 1, 1, &prompt).unwrap();
    };
    assert_eq!(judged(&workbook(sheet)), EXTRAS);
    let footer = |book: &mut rust_xlsxwriter::Workbook| {
        book.worksheet_from_index(0).unwrap().set_footer("&CJanssens");
    };
    assert_eq!(judged(&workbook(footer)), TEXT);
}

#[test]
fn a_name_of_the_program_is_a_place_and_properties_are_short() {
    let name = |name: &str, text: &str| {
        let names =
            format!("<definedNames><definedName {name}>{text}</definedName></definedNames><calcPr");
        put(BOOK, "<calcPr", &names)
    };
    let filter = "name='_xlnm._FilterDatabase' localSheetId='0' hidden='1'";
    assert_eq!(name(filter, "Sheet1!$A$1:$C$4"), GOOD);
    assert_eq!(name("name='_xlnm.Print_Titles'", "'Sheet1'!$A:$B,Sheet1!$1:$1"), GOOD);
    for text in ["\"Janssens\"", "Janssens!$A$1", "Sheet1!$A$1,Jan", "Sheet1!JAN", "", NUMBER] {
        assert_eq!(name(filter, text), EXTRAS, "{text}");
    }
    assert_eq!(name("name='_xlnm.Janssens'", "Sheet1!$A$1"), EXTRAS);
    assert_eq!(name("name='_xlnm.Print_Area' comment='Jan'", "Sheet1!$A$1"), EXTRAS);
    assert_eq!(put(BOOK, "<calcPr", "Janssens<calcPr"), TEXT);
    assert_eq!(put(BOOK, "<calcPr", "<fileSharing userName='Jan'/><calcPr"), EXTRAS);
    assert_eq!(put(BOOK, "name=\"Sheet1\"", "name=\"85.07.30-033.28\""), TEXT);
    let properties = |change: fn(DocProperties) -> DocProperties| {
        judged(&workbook(|book| _ = book.set_properties(&change(DocProperties::new()))))
    };
    assert_eq!(properties(|it| it.set_title("Lijst 2026").set_author("Els Peeters")), GOOD);
    assert_eq!(properties(|it| it.set_title(NUMBER)), TEXT);
    assert_eq!(properties(|it| it.set_comment("Jan Janssens, An Peeters; ".repeat(5))), TEXT);
    assert_eq!(properties(|it| it.set_company("12345678901")), TEXT);
    assert_eq!(properties(|it| it.set_custom_property("naam", "Janssens")), EXTRAS);
    let core = |xml: &str| {
        put("docProps/core.xml", "</cp:coreProperties>", &format!("{xml}</cp:coreProperties>"))
    };
    assert_eq!(core("<cp:janssens/>"), EXTRAS);
    assert_eq!(core(&"<cp:category>Janssens</cp:category>".repeat(80)), TEXT);
    assert_eq!(core("Janssens"), TEXT);
}
