//! What is wrong with a file or a cell, told to people.

use intake::document::{Data, FaultCode};
use intake::{Refused, RefusedCode};

fn said(zh: &str, en: &str) -> (String, String) {
    (zh.to_owned(), en.to_owned())
}

/// What is wrong with a cell.
pub(super) fn of_fault(code: FaultCode, data: &Data) -> (String, String) {
    let (zh, en) = match code {
        FaultCode::Required => ("必须填写", "Required"),
        FaultCode::CellError => (
            "单元格是错误值",
            "The cell holds an error of the spreadsheet",
        ),
        FaultCode::NotComputed => (
            "公式没有计算结果；请在表格软件中打开并保存一次",
            "The formula was never computed; open and save the file once",
        ),
        FaultCode::NotAnAmount => ("不是金额", "Not an amount"),
        FaultCode::UnitUnknown => (
            "金额没有单位：请在表头或表上注明（单位：万元），或在导入时指定",
            "The amount has no unit: say it in the heading, above the table, or when importing",
        ),
        FaultCode::Negative => ("金额不能为负", "An amount can't be negative"),
        FaultCode::TooLarge => ("金额不能超过 10^15 元", "An amount is 10^15 元 at the most"),
        FaultCode::TooPrecise => ("金额最多精确到分", "An amount has no more than 分"),
        FaultCode::Range => (
            "是区间，不能确定取哪一端",
            "A range: neither end is the value",
        ),
        FaultCode::UpperBound => (
            "是上限（以下、不超过），不是金额",
            "An upper bound is no amount",
        ),
        FaultCode::ChineseDigits => ("请用阿拉伯数字", "Write it in Arabic digits"),
        FaultCode::NotADate => ("不是日期", "Not a date"),
        FaultCode::AmbiguousDate => (
            "日期有两种读法（2023.1 可能是 1 月或 10 月）；请写成 2023年1月",
            "It may be January or October; write it as 2023年1月",
        ),
        FaultCode::ImpossibleDate => ("没有这一天", "There is no such day"),
        FaultCode::YearMissing => ("日期缺少年份", "The year is missing"),
        FaultCode::TwoDigitYear => ("年份须为四位", "A year has four digits"),
        FaultCode::NotAMonth => ("不是年份或月份", "Not a year or month"),
        FaultCode::NotASpan => ("不是起止年限", "Not a span of time"),
        FaultCode::InvalidProjectCode => (
            "项目代码须为 24 位，如 2101-211100-04-01-123456",
            "A project code has 24 characters, such as 2101-211100-04-01-123456",
        ),
        FaultCode::InvalidUscc => (
            "统一社会信用代码须为 18 位，且校验码正确",
            "A unified social credit code has 18 characters, the last of which checks the others",
        ),
        FaultCode::NotAPercent => ("不是百分数", "Not a percentage"),
        FaultCode::UnknownStage => ("没有这个阶段", "There is no such stage"),
        FaultCode::UnknownKind => ("没有这种类型", "There is no such kind"),
        FaultCode::UnknownStatus => ("没有这种办理状态", "There is no such status"),
        FaultCode::UnknownItem => ("没有这项手续", "There is no such permit"),
        FaultCode::UnknownMetric => ("没有这种指标", "There is no such metric"),
        FaultCode::UnknownTier => ("没有这个投资分档", "There is no such tier"),
        FaultCode::UnknownUnit => ("没有这种计量单位", "There is no such unit"),
        FaultCode::NotAFlag => ("须为是或否", "It is yes or no"),
    };
    (
        with_data(zh, data, "（", "）"),
        with_data(en, data, " (", ")"),
    )
}

fn with_data(text: &str, data: &Data, before: &str, behind: &str) -> String {
    if data.is_empty() {
        return text.to_owned();
    }
    let told: Vec<String> = data
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    format!("{text}{before}{}{behind}", told.join(", "))
}

/// Why a file is refused as a whole.
pub(super) fn of_refused(refused: &Refused) -> (String, String) {
    let (zh, en) = match refused.code {
        RefusedCode::EmptyFile => said("文件是空的", "The file is empty"),
        RefusedCode::FileTooLarge => said("文件超过 20 MiB", "The file is larger than 20 MiB"),
        RefusedCode::Encrypted => said(
            "文件已加密；请取消打开密码后再上传",
            "The file is encrypted; take its password off first",
        ),
        RefusedCode::Xls => said(
            "是旧版 .xls；请另存为 .xlsx",
            "It is an old .xls; save it as .xlsx",
        ),
        RefusedCode::Xlsb => said(
            "是二进制工作簿 .xlsb；请另存为 .xlsx",
            "It is an .xlsb; save it as .xlsx",
        ),
        RefusedCode::Ods => said("是 .ods；请另存为 .xlsx", "It is an .ods; save it as .xlsx"),
        RefusedCode::Markup => said(
            "是网页或 XML，只是叫作 .xls；请在表格软件中另存为 .xlsx",
            "It is a web page or XML that is called .xls; save it as .xlsx",
        ),
        RefusedCode::Macros => said(
            "含有宏（.xlsm）；请另存为 .xlsx",
            "It has macros (.xlsm); save it as .xlsx",
        ),
        RefusedCode::NotAWorkbook => said("压缩包里不是工作簿", "The archive is no workbook"),
        RefusedCode::Binary => said(
            "不是 .xlsx 也不是 .csv",
            "It is neither an .xlsx nor a .csv",
        ),
        RefusedCode::Truncated => said(
            "文件不完整，可能没有传完；请重新上传",
            "The file ends too early; send it again",
        ),
        RefusedCode::Damaged => said(
            "文件已损坏，无法读取",
            "The file is damaged and can't be read",
        ),
        RefusedCode::UnknownEncoding => said(
            "文字编码无法识别；请存为 UTF-8 或 GBK",
            "The encoding is not known; save it as UTF-8 or GBK",
        ),
        RefusedCode::TooManyEntries => {
            said("压缩包里的文件过多", "The archive has too many entries")
        }
        RefusedCode::UnpackedTooLarge => {
            said("解开后超过 100 MiB", "It unpacks to more than 100 MiB")
        }
        RefusedCode::RatioTooLarge => said(
            "压缩比异常，疑似压缩炸弹",
            "It unpacks to more than a hundred times its size",
        ),
        RefusedCode::PathTrick => said(
            "压缩包里有越界的路径",
            "The archive has paths that lead out of it",
        ),
        RefusedCode::DuplicateEntry => said(
            "压缩包里有重名的文件",
            "Two entries of the archive have one name",
        ),
        RefusedCode::Doctype => said(
            "含有 DOCTYPE，不予读取",
            "It declares a document type, which is not read",
        ),
        RefusedCode::StringsAbsurd
        | RefusedCode::DimensionAbsurd
        | RefusedCode::CellOutOfBounds => said(
            "文件内部的数量或位置不合理，不予读取",
            "What the file declares of itself is absurd",
        ),
        RefusedCode::TooManyRows => said("行数太多", "Too many rows"),
        RefusedCode::TooManyColumns => said("列数太多", "Too many columns"),
        RefusedCode::TooManyCells => said("单元格太多", "Too many cells"),
        RefusedCode::CellTooLong => said("有单元格的文字过长", "A cell's text is too long"),
        RefusedCode::TooManyMerges => said("合并单元格太多", "Too many merged cells"),
        RefusedCode::TooManySheets => said("工作表太多", "Too many sheets"),
    };
    (
        with_data(&zh, &refused.data, "（", "）"),
        with_data(&en, &refused.data, " (", ")"),
    )
}
